import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { atExit } from '../../support/atExit.ts';

/** A process of the suite's own that reports in its last line. */
export class Child<Report> {
  readonly report: Promise<Report>;
  readonly #child: ChildProcess;

  constructor(file: string, args: readonly string[], msMax: number) {
    const path = join(import.meta.dirname, file);
    const flags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=1024'];
    this.#child = spawn(process.execPath, [...flags, path, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: msMax,
      killSignal: 'SIGKILL',
    });
    const calledOff = atExit(() => void this.#child.kill('SIGKILL'));
    let text = '';
    this.#child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    this.report = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        calledOff();
        if (code !== 0) reject(new Error(`${file} ${args[0] ?? ''} ended with ${code ?? signal}`));
        else resolve(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Report);
      });
    });
    // Whoever waits for it is told later.
    this.report.catch(() => undefined);
    this.started = new Promise((resolve) => this.#child.stdout?.once('data', () => resolve()));
  }

  /** Resolves when it has written its first line. */
  readonly started: Promise<void>;

  /** Tells it that the flood is over. */
  tell(): void {
    this.#child.kill('SIGUSR2');
  }
}
