import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '../../scripts/nodeFlags.ts';
import { freePort } from '../support/freePort.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const CLOCK = join(import.meta.dirname, 'clockPreload.ts');
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 60_000;
const POLL_MS = 5;

export interface ServerPlace {
  /** Words before the command, such as those that enter a network namespace. */
  readonly inside: readonly string[];
  /** Where to listen, and where whoever looks on finds it. */
  readonly listen: string;
  readonly address: string;
}

/** The server in a process of its own, which is stopped, killed and started again on the same port and the same data. */
export class FaultyServer {
  readonly #place: ServerPlace;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;
  #otherPort = 0;
  #output = '';
  /** How often it was started: its counters begin anew with each. */
  starts = 0;
  /** What is done before it ends, and as soon as it is back: whoever counts does not miss anything so. */
  watch: () => Promise<unknown> = async () => undefined;
  /** Why it ended by itself, if it did. */
  crash: string | undefined;

  constructor(place: ServerPlace, flags: readonly string[]) {
    this.#place = place;
    this.#flags = flags;
  }

  get url(): string {
    return `http://${this.#place.address}:${this.#port}`;
  }

  /** Where else it may listen: what Prometheus takes for another target. */
  get otherPort(): number {
    return this.#otherPort;
  }

  get address(): string {
    return this.#place.address;
  }

  get port(): number {
    return this.#port;
  }

  /** All that it wrote since its first start. */
  get output(): string {
    return this.#output;
  }

  /** Finds the port that it may move to. */
  async findOtherPort(): Promise<void> {
    this.#otherPort = await freePort();
  }

  /** The next start is on the other port. */
  move(): void {
    [this.#port, this.#otherPort] = [this.#otherPort, this.#port];
  }

  /** Resolves when it listens and is ready. */
  async start(): Promise<void> {
    const from = this.#output.length;
    this.starts += 1;
    const child = this.#spawn();
    this.#child = child;
    const deadline = performance.now() + READY_MS_MAX;
    while (performance.now() < deadline) {
      if (!isRunning(child)) throw new Error(`the server did not start: ${this.#output.slice(from)}`);
      const port = /listens {2}http:\/\/[^ ]*:(\d+)/.exec(this.#output.slice(from))?.[1];
      if (port !== undefined) {
        this.#port = Number(port);
        await this.watch();
        return;
      }
      await sleep(POLL_MS);
    }
    throw new Error(`the server was not ready after ${READY_MS_MAX} ms: ${this.#output.slice(from)}`);
  }

  /** Ends it in an orderly way; kills it if that takes too long, and says so in `crash`. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    await this.watch();
    this.#child = undefined;
    const exit = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    const [code] = await exit;
    clearTimeout(timer);
    if (code !== 0) this.crash ??= `SIGTERM: it ended with ${code ?? 'SIGKILL'}`;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    await this.watch();
    this.#child = undefined;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Sets its clock back by two seconds; at the next call forward again. */
  turnClock(): void {
    this.#child?.kill('SIGUSR2');
  }

  #spawn(): ChildProcess {
    const node = [process.execPath, ...NODE_FLAGS, '--import', CLOCK, MAIN];
    const flags = [`--server.host=${this.#place.listen}`, `--server.port=${this.#port}`, ...this.#flags];
    const [command, ...args] = [...this.#place.inside, ...node, ...flags];
    const child = spawn(command as string, args, {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const orphaned = (): void => void child.kill('SIGKILL');
    process.once('exit', orphaned);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    child.once('exit', (code, signal) => {
      process.off('exit', orphaned);
      if (this.#child === child) this.crash ??= `it ended by itself with ${code ?? signal ?? 'no code'}`;
    });
    return child;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
