import type { Clock } from '../core/millis.ts';

/** Lets through so many a window, and tells how many it held back before: bad clients must not fill the disk with log lines. */
export class Throttle {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  #since = 0;
  #let = 0;
  #held = 0;

  constructor(most: number, windowMs: number, clock: Clock) {
    this.#most = most;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** Calls `pass` with the number held back since the last one let through, or doesn't. */
  run(pass: (held: number) => void): void {
    const now = this.#clock();
    if (now - this.#since >= this.#windowMs || now < this.#since) {
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
