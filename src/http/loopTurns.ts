import { setImmediate } from 'node:timers';

/** In each turn of the event loop, work in steps takes this long in all, in ms. */
const TURN_MS = 4;
/** While connections arrive, work waits until it has been idle for this long, in ms. */
const ACCEPT_MS = 24;

type Steps<Result> = Iterator<void, Result>;

/**
 * Work that is made in steps, and shares the event loop with everything else. All of it together takes a few ms of each turn: 200 bodies
 * that take a little of each turn would make it a long one. Node accepts one connection in each turn, so a thousand that come at once
 * would wait for a thousand slices of work; while they come, work takes a seventh of the time at least.
 * Source: `uv__server_io` in https://github.com/libuv/libuv/blob/v1.x/src/unix/stream.c
 */
export class LoopTurns {
  /** What was worked in this turn, in ms. */
  #spentMs = 0;
  /** When work was last done. */
  #workedAt = -Infinity;
  #accepted = false;
  #isPlanned = false;
  /** Whose turn is next is the first. */
  #waiting: (() => void)[] = [];

  /** To be called for each connection that is accepted. */
  accepted(): void {
    this.#accepted = true;
  }

  /** Does the work: what fits into this turn at once, the rest in later ones. Throws, or rejects, as the work does. */
  run<Result>(steps: Steps<Result>): Result | Promise<Result> {
    if (this.#spentMs >= TURN_MS || this.#waiting.length > 0) return this.#later(steps);
    const step = this.#slice(steps);
    return step.done === true ? step.value : this.#later(steps);
  }

  /** Does work that can't be made in steps: where others have worked in this turn, in a later one, so that no turn has two of its kind. */
  once<Result>(make: () => Result): Result | Promise<Result> {
    return this.run({ next: () => ({ done: true, value: make() }) });
  }

  async #later<Result>(steps: Steps<Result>): Promise<Result> {
    for (;;) {
      await this.#turn();
      try {
        const step = this.#slice(steps);
        if (step.done === true) return step.value;
      } finally {
        if (this.#spentMs < TURN_MS) this.#handOn();
      }
    }
  }

  /** Works until the time of this turn is used up, or the work is done. */
  #slice<Result>(steps: Steps<Result>): IteratorResult<void, Result> {
    this.#plan();
    const began = performance.now();
    const until = began + TURN_MS - this.#spentMs;
    try {
      for (;;) {
        const step = steps.next();
        if (step.done === true || performance.now() >= until) return step;
      }
    } finally {
      this.#workedAt = performance.now();
      this.#spentMs += this.#workedAt - began;
    }
  }

  #turn(): Promise<void> {
    this.#plan();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #handOn(): void {
    this.#waiting.shift()?.();
  }

  /** Has the next turn begin with a new account. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#spentMs = 0;
      const isAccepting = this.#accepted && performance.now() - this.#workedAt < ACCEPT_MS;
      this.#accepted = false;
      if (this.#waiting.length === 0) return;
      this.#plan();
      if (!isAccepting) this.#handOn();
    });
  }
}
