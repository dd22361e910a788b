import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from './tools.ts';

const ROOT = join(import.meta.dirname, '../..');
const CTRL_C = '\x03';
const PRESSES = 4;
/** What a terminal shows of the key, once it has sent the signals. */
const ECHO = '^C';
const ECHO_MS_MAX = 30_000;
const LOOK_MS = 5;

/** What to do where a test is skipped for want of a terminal. */
export const HOW_TO_GET_A_TERMINAL = 'script comes with util-linux; on Debian it is in the package bsdutils';

/** Whether a command can be run in a terminal of its own: by `script` of util-linux. In CI a missing one throws. */
export function hasTerminal(): boolean {
  const found = process.platform === 'linux' && onPath('script').length > 0;
  if (!found && (process.env['CI'] ?? '') !== '')
    throw new Error(`CI needs script: ${HOW_TO_GET_A_TERMINAL}`);
  return found;
}

/** A command in a terminal of its own, with the keys of one. */
export class Terminal implements AsyncDisposable {
  readonly exited: Promise<number | string>;
  readonly #child;
  #output = '';

  /** `line` is for the shell. It runs in the repository's folder. */
  constructor(line: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: 'pipe',
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stdin.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
  }

  get output(): string {
    return this.#output;
  }

  /**
   * As the key does: the terminal signals every process in its foreground. npm sends each signal on, and sometimes so soon that the two become
   * one; so that there are several in most cases, the key is pressed four times. All of them at once: a press that comes when the command has
   * ended kills npm, which no longer expects one. Resolves when the terminal has taken them.
   */
  async ctrlC(): Promise<void> {
    this.#child.stdin.write(CTRL_C.repeat(PRESSES));
    const deadline = performance.now() + ECHO_MS_MAX;
    // A signal clears what the terminal was about to show, so not every press need be seen.
    while (!this.#output.includes(ECHO)) {
      if (performance.now() > deadline) throw new Error(`the terminal took no ${ECHO}: ${this.#output}`);
      await sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A terminal that goes takes what runs in it along.
    this.#child.kill('SIGHUP');
    await this.exited;
  }
}
