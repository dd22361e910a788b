import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

/** What is asked of the worker, and what it answers. */
export interface Comparison {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}
export interface Compared {
  readonly id: number;
  readonly same: boolean;
}

parentPort?.on('message', ({ id, password, hash }: Comparison) => {
  parentPort?.postMessage({ id, same: compareSync(password, hash) } satisfies Compared);
});
