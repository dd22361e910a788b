import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../chart/support/helm.ts';
import { run } from '../chart/support/helm.ts';
import type { BareRoot } from './build.ts';

const READY_MS_MAX = 20_000;
const REQUEST_MS_MAX = 2_000;
const POLL_MS = 50;

/** Mounts the root read-only and the volume at /data, then becomes the command: by exec, so that it stays process 1. */
const START = `
root=$1 volume=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$volume" "$root/data"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"
`;

/** The image's command as an engine would run it, in namespaces of its own for mounts and processes. */
export class Container implements AsyncDisposable {
  readonly url: string;
  readonly exited: Promise<number | string>;
  readonly #image: BareRoot;
  readonly #child: ChildProcess;
  readonly #env: Readonly<Record<string, string>>;
  #output = '';

  private constructor(image: BareRoot, volume: string, port: number) {
    this.#image = image;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...image.env, ONESHOT_SERVER_HOST: '127.0.0.1', ONESHOT_SERVER_PORT: String(port) };
    const command = [image.root, volume, image.user, ...image.entrypoint];
    const args = ['--mount', '--pid', '--fork', 'sh', '-ec', START, 'sh', ...command];
    this.#child = spawn('unshare', args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.exited = once(this.#child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  /** Resolves when it takes requests; rejects with its output when it does not. */
  static async start(image: BareRoot, volume: string): Promise<Container> {
    const container = new Container(image, volume, await freePort());
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await container.#ready())) {
      if (Date.now() > deadline || container.#child.exitCode !== null) {
        await container[Symbol.asyncDispose]();
        throw new Error(`the image did not start: ${container.#output}`);
      }
      await sleep(POLL_MS);
    }
    return container;
  }

  /** The server's process, as this side of the namespace numbers it. */
  get pid(): number {
    const own = this.#child.pid ?? 0;
    return Number(readFileSync(`/proc/${own}/task/${own}/children`, 'utf8').trim());
  }

  /** A field of the server's /proc/PID/status, as words. */
  status(field: string): readonly string[] {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const [, value = ''] = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text) ?? [];
    return value.split(/\s+/);
  }

  /** Runs another command of the image beside the server, as `docker exec` and the health check do. */
  async exec(command: readonly string[]): Promise<Run> {
    const inside = ['--mount', '--pid', `--target=${this.pid}`, 'chroot', `--userspec=${this.#image.user}`];
    return run('nsenter', [...inside, this.#image.root, ...command], { env: this.#env });
  }

  /** Sends process 1 a signal; where it has not come to be, unshare itself. */
  signal(name: NodeJS.Signals): void {
    const { pid } = this;
    if (pid > 0) process.kill(pid, name);
    else this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // unshare ends when process 1 does. It can't take that one with it: a process that changes its user is spared.
    if (this.#child.exitCode === null) this.signal('SIGKILL');
    await this.exited;
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(REQUEST_MS_MAX) })).ok;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
