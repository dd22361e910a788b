import ipaddr from 'ipaddr.js';
import type { TlsState } from '../../access/tlsState.ts';

/** What a handshake told of the client. */
export interface ClientCertificate {
  /** Whether it sent a certificate at all. */
  readonly sent: boolean;
  /** Whether that is signed by a known authority, and valid now. */
  readonly verified: boolean;
  /** Its names, as Node writes them: `DNS:a, IP Address:127.0.0.1`. */
  readonly subjectAltName: string;
}

/** Whether a client may stay connected. */
export function admitsClient(
  { clientAuth, allowedSans }: Pick<TlsState, 'clientAuth' | 'allowedSans'>,
  { sent, verified, subjectAltName }: ClientCertificate,
): boolean {
  switch (clientAuth) {
    case 'none':
      return true;
    case 'request':
      break;
    case 'requireAny':
      if (!sent) return false;
      break;
    case 'verifyIfGiven':
      if (sent && !verified) return false;
      break;
    case 'requireAndVerify':
      if (!sent || !verified) return false;
      break;
    default:
      return clientAuth satisfies never;
  }
  if (allowedSans === undefined) return true;
  const names = namesOf(subjectAltName);
  const allowed = new Set(allowedSans.map(canonical));
  return names.some((name) => allowed.has(name));
}

/** A name may hold `, ` itself; Node then writes it as a JSON string. Source: https://nodejs.org/api/crypto.html#x509subjectaltname */
const NAME = /(DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

function namesOf(subjectAltName: string): readonly string[] {
  return [...subjectAltName.matchAll(NAME)].map(([, kind, raw = '']) => {
    const name = raw.startsWith('"') ? String(JSON.parse(raw)) : raw;
    return kind === 'IP Address' ? canonical(name) : name;
  });
}

/** One spelling for each address; anything else as it is. */
function canonical(name: string): string {
  return ipaddr.isValid(name) && (name.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(name))
    ? ipaddr.parse(name).toString()
    : name;
}
