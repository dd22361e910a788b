import type { Monotonic } from '../core/millis.ts';

/** Lets through so many a window, and tells how many it held back before: bad clients must not fill the disk with log lines. */
export class Throttle {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #elapsed: Monotonic;
  #since = Number.NEGATIVE_INFINITY;
  #let = 0;
  #held = 0;

  constructor(most: number, windowMs: number, elapsed: Monotonic) {
    this.#most = most;
    this.#windowMs = windowMs;
    this.#elapsed = elapsed;
  }

  /** Calls `pass` with the number held back since the last one let through, or doesn't. */
  run(pass: (held: number) => void): void {
    const now = this.#elapsed();
    if (now - this.#since >= this.#windowMs) {
      this.#since = now;
      this.#let = 0;
    }
    if (this.#let >= this.#most) {
      this.#held += 1;
      return;
    }
    this.#let += 1;
    const held = this.#held;
    this.#held = 0;
    pass(held);
  }
}
