import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
const POLL_MS = 200;
const LOG_TAIL_CHARS = 2_000;
/** It guards nothing: the API server listens on loopback for the length of a test. */
const TOKEN = 'loopback';

export interface ClusterBinaries {
  readonly etcd: string;
  readonly apiServer: string;
}

/** A real API server with its store, and no nodes: what is installed is admitted, kept and never run. */
export class Cluster implements AsyncDisposable {
  readonly #binaries: ClusterBinaries;
  readonly #folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  readonly #children: ChildProcess[] = [];
  #port = 0;

  constructor(binaries: ClusterBinaries) {
    this.#binaries = binaries;
  }

  /** What Helm finds it by. */
  get kubeconfig(): string {
    return join(this.#folder, 'kubeconfig');
  }

  /** Resolves when it is ready; rejects with the end of its log when it does not get there. */
  async start(): Promise<void> {
    const [client, peer, api] = [await freePort(), await freePort(), await freePort()];
    const etcdUrl = `http://127.0.0.1:${client}`;
    const file = (name: string) => join(this.#folder, name);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    writeFileSync(file('sa.key'), privateKey);
    writeFileSync(file('sa.pub'), publicKey);
    writeFileSync(file('tokens.csv'), `${TOKEN},test,test,system:masters\n`);
    writeFileSync(this.kubeconfig, kubeconfig(api));
    this.#port = api;
    this.#spawn(this.#binaries.etcd, {
      'data-dir': file('etcd'),
      'listen-client-urls': etcdUrl,
      'advertise-client-urls': etcdUrl,
      'listen-peer-urls': `http://127.0.0.1:${peer}`,
      'unsafe-no-fsync': 'true',
    });
    this.#spawn(this.#binaries.apiServer, {
      'etcd-servers': etcdUrl,
      'bind-address': '127.0.0.1',
      'secure-port': String(api),
      'cert-dir': file('certificates'),
      'service-cluster-ip-range': '10.0.0.0/24,fd00::/112',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': file('sa.pub'),
      'service-account-signing-key-file': file('sa.key'),
      'authorization-mode': 'RBAC',
      'token-auth-file': file('tokens.csv'),
    });
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await this.#ready())) {
      if (Date.now() > deadline) {
        const log = readFileSync(file('log'), 'utf8').slice(-LOG_TAIL_CHARS);
        await this[Symbol.asyncDispose]();
        throw new Error(`the API server was not ready after ${READY_MS_MAX} ms: ${log}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** What it keeps at a path such as `/api/v1/namespaces/x/pods`; undefined where there is nothing. */
  async get(path: string): Promise<unknown> {
    const { status, body } = await this.#request(path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return JSON.parse(body);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** The certificate that it shows, which it signed itself. */
  get certificateFile(): string {
    return join(this.#folder, 'certificates', 'apiserver.crt');
  }

  /** Sends a body (a merge patch for PATCH). Resolves to what it answers; rejects where it refuses. */
  async send(method: 'POST' | 'PATCH' | 'DELETE', path: string, content: object): Promise<unknown> {
    const { status, body } = await this.#request(path, method, JSON.stringify(content));
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body}`);
    return JSON.parse(body);
  }

  /** A chart with what must be there beforehand: kinds, from folders with their definitions, and some namespaces. */
  surroundings(crds: readonly string[], namespaces: readonly string[]): string {
    const chart = join(this.#folder, 'surroundings');
    for (const folder of crds) cpSync(folder, join(chart, 'crds'), { recursive: true });
    mkdirSync(join(chart, 'templates'));
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: surroundings\nversion: 1.0.0\n');
    const manifests = namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
    const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
    writeFileSync(join(chart, 'templates/namespaces.yaml'), text);
    return chart;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The API server first: without its store it would wait.
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await closed;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(binary: string, flags: Readonly<Record<string, string>>): void {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#children.push(spawn(binary, args, { stdio: ['ignore', log, log] }));
  }

  async #ready(): Promise<boolean> {
    try {
      return (await this.#request('/readyz')).status === 200;
    } catch {
      return false;
    }
  }

  /** The certificate is the API server's own, made at its start. */
  async #request(path: string, method = 'GET', content = ''): Promise<{ status: number; body: string }> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const options = {
      method,
      port: this.#port,
      path,
      rejectUnauthorized: false,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': type,
        'content-length': Buffer.byteLength(content),
      },
    };
    const sent = request({ host: '127.0.0.1', ...options }).end(content);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk as string;
    return { status: response.statusCode ?? 0, body };
  }
}

function kubeconfig(port: number): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'it', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'it', user: { token: TOKEN } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
