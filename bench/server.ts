import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFlagsOf } from '../scripts/nodeFlags.ts';

/** Servers run on this core, load on the other. */
const SERVER_CORE = '0';
const READY_MS_MAX = 60_000;
const POLL_MS = 5;
const LISTENS = /listens {2}http:\/\/[^ ]*:(\d+)/;
/** The folder of this checkout. */
export const ROOT = join(import.meta.dirname, '..');

/** What a program is given beside its own arguments. */
export interface NodeOptions {
  /** Flags behind those of `npm start`; of two that contradict each other the last one counts. */
  readonly nodeFlags?: readonly string[];
  /** The checkout whose `npm start` is meant; this one without it. */
  readonly checkout?: string;
  /** A module below the repository's root that runs first. */
  readonly preload?: string;
}

/** How long it took until a server was ready, and how much processor time. */
export interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}

/** A server under measurement, in a process of its own on a core of its own. */
export class MeasuredServer implements AsyncDisposable {
  readonly port: number;
  readonly start: Start;
  readonly #child: ChildProcess;
  readonly #lines: () => string;

  private constructor(child: ChildProcess, port: number, start: Start, lines: () => string) {
    this.#child = child;
    this.port = port;
    this.start = start;
    this.#lines = lines;
  }

  /** Starts a program below the repository's root, and resolves once it says that it listens. */
  static async start(
    program: string,
    args: readonly string[],
    { nodeFlags = [], checkout = ROOT, preload }: NodeOptions = {},
  ): Promise<MeasuredServer> {
    // Floors get the flags of `npm start`, too.
    const node = [process.execPath, ...nodeFlagsOf(checkout), ...nodeFlags];
    if (preload !== undefined) node.push('--import', join(ROOT, preload));
    const began = performance.now();
    const child = spawn('taskset', ['-c', SERVER_CORE, ...node, resolve(ROOT, program), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let start: Start | undefined;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (start === undefined && LISTENS.test(output))
          start = { ms: performance.now() - began, cpuMs: cpuMsOf(child.pid) };
      });
    const orphaned = (): void => void child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const deadline = performance.now() + READY_MS_MAX;
    while (performance.now() < deadline && child.exitCode === null) {
      const port = Number(LISTENS.exec(output)?.[1]);
      if (start !== undefined) return new MeasuredServer(child, port, start, () => output);
      await sleep(POLL_MS);
    }
    child.kill('SIGKILL');
    throw new Error(`${program} did not start: ${output}`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that it wrote. */
  get output(): string {
    return this.#lines();
  }

  /** Resident memory, in bytes. */
  get rss(): number {
    return kilobytes(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'), /^VmRSS:\s+(\d+) kB$/m);
  }

  /** Processor time used so far, by all threads that run, in ms. */
  get cpuMs(): number {
    return cpuMsOf(this.#child.pid);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), READY_MS_MAX);
    await exit;
    clearTimeout(timer);
  }
}

/** https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat */
function cpuMsOf(pid: number | undefined): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return ns / 1e6;
}

function kilobytes(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern.source} in ${text}`);
  return Number(found) * 1024;
}
