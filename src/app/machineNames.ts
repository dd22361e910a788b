import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** What clients may call this machine, or this pod, beside what the settings say: patterns for AllowedHosts. Never fails. */
export async function machineNames(): Promise<readonly string[]> {
  const resolver = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  return namesFor(hostname(), resolver);
}

/**
 * The machine's own name, alone and in each domain that its resolver searches. In a pod these tell the cluster's domain:
 * `search apps.svc.example apps.svc.example example` means that Services are called `name.namespace.svc.example`.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
export function namesFor(host: string, resolver: string): readonly string[] {
  const searched = [...resolver.matchAll(/^\s*(?:search|domain)\s+(.*)$/gm)]
    .flatMap(([, domains = '']) => domains.trim().split(/\s+/))
    .map((domain) => domain.toLowerCase().replace(/\.$/, ''))
    .filter((domain) => /^[\w-]+(?:\.[\w-]+)*$/.test(domain));
  const short = host.split('.', 1)[0] ?? host;
  return [
    host,
    ...searched.map((domain) => `${short}.${domain}`),
    ...searched.filter((domain) => domain.startsWith('svc.')).map((domain) => `*.${domain}`),
  ].filter((name) => name !== '');
}
