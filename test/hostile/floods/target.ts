import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFlagsOf } from '../../../scripts/nodeFlags.ts';
import { atExit } from '../../support/atExit.ts';

/** What a server is started with. */
export interface Start {
  /** The checkout whose server it is. */
  readonly checkout: string;
  /** The heap in MiB; undefined for Node's own default. */
  readonly heapMebibytes: number | undefined;
  readonly flags: readonly string[];
}

const OUTPUT_MAX = 20_000;
const WHY_MAX = 150;
const MEBIBYTE_IN_KIB = 1024;

/** A server in a process of its own, started as `npm start` does, but for its heap. */
export class Target {
  readonly pid: number;
  readonly startedAt = performance.now();
  readonly exited: Promise<string>;
  #end: string | undefined;
  #output = '';
  readonly #child: ChildProcess;

  constructor({ checkout, heapMebibytes, flags }: Start) {
    const heap = heapMebibytes === undefined ? [] : [`--max-old-space-size=${heapMebibytes}`];
    const node = [
      process.execPath,
      ...nodeFlagsOf(checkout),
      ...heap,
      join(checkout, 'src/main.ts'),
      ...flags,
    ];
    // No dump of a process that aborts: it would be as large as its memory. `exec` keeps the pid.
    this.#child = spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$@"', 'sh', ...node], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid, stdout, stderr } = this.#child;
    if (pid === undefined || stdout === null || stderr === null)
      throw new Error('the server could not be started');
    this.pid = pid;
    for (const stream of [stdout, stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_MAX);
      });
    const calledOff = atExit(() => void this.#child.kill('SIGKILL'));
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        calledOff();
        this.#end = String(code ?? signal);
        resolve(this.#end);
      });
    });
  }

  /** The code or the signal that it ended with; undefined while it runs. */
  get end(): string | undefined {
    return this.#end;
  }

  /** Why it ended, in a few words. */
  get why(): string {
    const fatal = /FATAL ERROR: (.*)/.exec(this.#output)?.[1];
    const last = fatal ?? this.#output.trimEnd().split('\n').at(-1) ?? '';
    return `ended with ${this.#end ?? 'nothing'} (${last.slice(0, WHY_MAX)})`;
  }

  kill(): Promise<string> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Resident memory now, and the most that it ever was, in MiB. Undefined where the process is gone. */
  memory(): { readonly now: number; readonly most: number } | undefined {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const [now, most] = ['VmRSS', 'VmHWM'].map((key) =>
        Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]),
      );
      if (now === undefined || most === undefined || !(now > 0)) return undefined;
      return { now: now / MEBIBYTE_IN_KIB, most: most / MEBIBYTE_IN_KIB };
    } catch {
      return undefined;
    }
  }

  /** Waits until `/-/ready` says so. Resolves to how long that took since its start, in ms; undefined where it ended, or took too long. */
  async ready(url: string, msMax: number): Promise<number | undefined> {
    while (this.#end === undefined && performance.now() - this.startedAt < msMax) {
      if (await isReady(url)) return Math.round(performance.now() - this.startedAt);
      await sleep(20);
    }
    return undefined;
  }
}

async function isReady(url: string): Promise<boolean> {
  const tls = url.startsWith('https');
  const { get } = tls ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    const sent = get(`${url}/-/ready`, {
      agent: false,
      timeout: 5000,
      ...({ rejectUnauthorized: false } as object),
    });
    sent.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode === 200));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
    sent.once('error', () => resolve(false));
  });
}
