import type { Monotonic } from '../core/millis.ts';

/** Samples made within one second, in the long run: so many take some 3 % of a core, with all that is made of them. */
const PER_SECOND = 20_000;
/** Samples made at once after a pause: hundreds of scrapes of a server that knows few scrapers. */
const AT_ONCE = 2 * PER_SECOND;

/** Says when there is the time to make samples anew. It counts samples, since that is what the time goes by, on any machine. */
export class SampleBudget {
  readonly #elapsed: Monotonic;
  #left = AT_ONCE;
  #filledAt: number;

  constructor(elapsed: Monotonic) {
    this.#elapsed = elapsed;
    this.#filledAt = elapsed();
  }

  /** Takes so many, if they are there. */
  take(samples: number): boolean {
    const now = this.#elapsed();
    const passedMs = now - this.#filledAt;
    this.#filledAt = now;
    this.#left = Math.min(AT_ONCE, this.#left + (passedMs * PER_SECOND) / 1000);
    if (this.#left < samples) return false;
    this.#left -= samples;
    return true;
  }
}
