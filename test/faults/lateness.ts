const EVERY_MS = 50;

/**
 * Up to this the machine kept up, in ms. The server takes an end for one at the timeout within 500 ms of it (`delivery/settle.ts`), and
 * both the request and the end may be late: beyond half of that, what an end tells of an untimed response is no longer true.
 */
const LATE_MS_MAX = 250;
/** From an event's arrival to the moment that settles its scrape: a wait for the next scrape, the longest fault, and a timeout, in ms. */
const SETTLED_MS_MAX = 5_000;

/** Remembers when the machine was behind: when a timer of this process was late, or the server slow to answer. */
export class Lateness implements Disposable {
  /** When it was too late for true evidence, in Unix ms. */
  readonly #late: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #before = performance.now();
  /** The most that it was behind, in ms. */
  maxMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.note(now - this.#before - EVERY_MS);
      this.#before = now;
    }, EVERY_MS);
  }

  /** Something that should have taken no time took so long, and has just ended. */
  note(ms: number): void {
    this.maxMs = Math.max(this.maxMs, Math.round(ms));
    if (ms > LATE_MS_MAX) this.#late.push(Date.now(), Date.now() - ms);
  }

  /** Whether it was too late while an event that came at `from`, in Unix ms, was scraped and settled, `to` being known or not. */
  within(from: number, to = from): boolean {
    return this.#late.some((at) => at >= from - SETTLED_MS_MAX && at <= to + SETTLED_MS_MAX);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
