import { Worker } from 'node:worker_threads';
import type { Compared, Comparison } from './passwordWorker.ts';

/** Whether a password is the one that a bcrypt hash was made of. */
export type ComparePassword = (password: string, hash: string) => Promise<boolean>;

/** The worker stands beside this file, as a source or as what was made of it. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './passwordWorker.ts' : './passwordWorker.js',
  import.meta.url,
);

/**
 * bcrypt in a thread of its own, since one comparison takes a tenth of a second and more. One at a time, as in the exporters: who
 * guesses passwords gets one core at most. The thread starts with the first comparison.
 */
export class Bcrypt implements AsyncDisposable {
  readonly #waiting = new Map<number, { resolve: (same: boolean) => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #lastId = 0;

  readonly compare: ComparePassword = (password, hash) => {
    const worker = (this.#worker ??= this.#start());
    this.#lastId += 1;
    const comparison: Comparison = { id: this.#lastId, password, hash };
    return new Promise((resolve, reject) => {
      this.#waiting.set(comparison.id, { resolve, reject });
      worker.postMessage(comparison);
    });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(WORKER, { execArgv: ['--disable-warning=ExperimentalWarning'], env: {} });
    // It must not keep a process alive that has nothing else to do.
    worker.unref();
    worker.on('message', ({ id, same }: Compared) => {
      this.#waiting.get(id)?.resolve(same);
      this.#waiting.delete(id);
    });
    worker.on('error', (error: Error) => this.#ended(error));
    worker.on('exit', () => this.#ended(new Error('the thread for passwords ended')));
    return worker;
  }

  #ended(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
