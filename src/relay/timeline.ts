import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';

/** Beyond this many series the times that no longer matter are swept out. */
const SWEEP_AT_SERIES = 10_000;

/**
 * Gives each event its final time: its arrival, moved by whole milliseconds where an earlier event of the same series has that
 * time already (guarantee G8). A clock that is set back does not turn the log's time back.
 */
export class Timeline {
  #arrived = millis(0);
  /** The latest time of each series, as far as it may still be met: one before the latest arrival never will. */
  readonly #latest = new Map<SeriesText, Millis>();
  #sweepAt = SWEEP_AT_SERIES;

  /** Learns what was in the log before the start: the latest arrival, and the entries whose times may still be met. */
  start(lastArrived: Millis, entries: readonly Entry[]): void {
    this.#arrived = lastArrived;
    for (const { series, time } of entries) this.#note(series, time);
  }

  /** How many series it remembers. */
  get size(): number {
    return this.#latest.size;
  }

  /** The time and the arrival of an event that comes now. */
  place(series: SeriesText, now: Millis): { time: Millis; arrived: Millis } {
    if (now > this.#arrived) this.#arrived = now;
    const arrived = this.#arrived;
    const latest = this.#latest.get(series);
    const time = latest === undefined || latest < arrived ? arrived : millis(latest + 1);
    this.#note(series, time);
    return { time, arrived };
  }

  #note(series: SeriesText, time: Millis): void {
    this.#latest.set(series, time);
    if (this.#latest.size < this.#sweepAt) return;
    for (const [key, latest] of this.#latest) if (latest < this.#arrived) this.#latest.delete(key);
    this.#sweepAt = Math.max(SWEEP_AT_SERIES, this.#latest.size * 2);
  }
}
