/** The first pause after a failure, and the longest, in ms. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 30_000;
/** What a receiver may ask for at most, in ms: one that says "tomorrow" is asked again before. */
const RETRY_AFTER_MS_MAX = 5 * 60_000;

/** Tells how long to wait after each failure in a row: twice as long each time, at random from half of it, and as long as the receiver asks for. */
export class Backoff {
  readonly #random: () => number;
  #pauseMs = PAUSE_MS_MIN;

  /** `random`: from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait now, in ms. `asked`: what the receiver asked for, in ms. */
  next(asked = 0): number {
    const pause = this.#pauseMs * (0.5 + this.#random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    return Math.max(pause, Math.min(asked, RETRY_AFTER_MS_MAX));
  }

  reset(): void {
    this.#pauseMs = PAUSE_MS_MIN;
  }
}

/**
 * What the header `Retry-After` asks for, in ms from now: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 * Undefined for none, and for one that can't be read.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
