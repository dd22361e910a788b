import { setImmediate } from 'node:timers/promises';
import type { Monotonic } from '../core/millis.ts';

/** How long work may go on before others have a turn, in ms. */
const TURN_MS = 2;

/** Gives others a turn now and then, by time: the steps of some work take a microsecond each, or, with some regular expressions, 25 ms. */
export class Turns {
  readonly #elapsed: Monotonic;
  #began: number;

  constructor(elapsed: Monotonic) {
    this.#elapsed = elapsed;
    this.#began = elapsed();
  }

  /** Whether it is the others' turn: `give` it then. */
  get isOver(): boolean {
    return this.#elapsed() - this.#began >= TURN_MS;
  }

  /** Resolves once the others had their turn. */
  async give(): Promise<void> {
    await setImmediate();
    this.#began = this.#elapsed();
  }
}
