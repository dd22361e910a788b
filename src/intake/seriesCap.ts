import { hash } from 'node:crypto';
import type { Entry } from '../core/entry.ts';
import { SeriesLimitError, shown } from '../core/errors.ts';
import type { Millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import { metricOf, writeSeries } from '../core/series.ts';

export interface SeriesRules {
  /** How many new series may appear within an hour of the clock; 0 for any number. */
  readonly perHourMax: number;
  /** What becomes of an event beyond: it is refused, or goes into one series of its metric. */
  readonly overflow: 'refuse' | 'fold';
  /** The metric into whose series events go where too many metrics have one of these. */
  readonly metric: string;
}

/** An event's series after the cap. */
export type Admission =
  | {
      readonly series: SeriesText;
      readonly isFolded: boolean;
      /** Whether it is counted as new by this. */
      readonly isNew: boolean;
    }
  | { readonly refused: SeriesLimitError };

const HOUR_MS = 3_600_000;
/** Series that are remembered, in multiples of `perHourMax`: what comes on top is let in, and is new again in the next hour. */
const REMEMBERED_HOURS = 8;
/** How many metrics may have a series of their own for what was folded, within an hour: metrics can be made up, too. */
const FOLDED_METRICS_MAX = 100;
/** Characters of the series that are remembered by themselves; beyond that, it begins anew with them. */
const RECENT_CHARACTERS_MAX = 256 << 10;
const OVERFLOW = { name: 'overflow', value: 'true' };

/**
 * Bounds how many new series appear within an hour, since each costs a Prometheus memory for hours. A series that was there in this hour
 * or the last is not new, so that a flood of new ones keeps none of the old ones out. Each is remembered by a hash of 22 characters.
 */
export class SeriesCap {
  readonly #rules: SeriesRules;
  #hour = 0;
  #seen = new Set<string>();
  #seenBefore = new Set<string>();
  /** How many of those that were seen in this hour were new. */
  #new = 0;
  readonly #foldedMetrics = new Set<string>();
  /** Some of those that were seen in this hour, by themselves: most events are of these, and a look here is cheaper than a hash. */
  readonly #recent = new Set<SeriesText>();
  #recentCharacters = 0;

  constructor(rules: SeriesRules) {
    this.#rules = rules;
  }

  /** Whether it lets everything in, and need not be asked. */
  get isUnlimited(): boolean {
    return this.#rules.perHourMax === 0;
  }

  /** Learns which series are not new from what was in the log before the start. */
  start(entries: readonly Entry[], now: Millis): void {
    if (this.isUnlimited) return;
    this.#roll(now);
    for (const { series, arrived } of entries) {
      if (Math.floor(arrived / HOUR_MS) >= this.#hour - 1) this.#remember(this.#seenBefore, keyOf(series));
    }
  }

  /** Lets an event's series in, or says what becomes of the event. What was let in for nothing is to be given to `takeBack`. */
  admit(series: SeriesText, now: Millis): Admission {
    const { perHourMax, overflow } = this.#rules;
    if (this.isUnlimited) return { series, isFolded: false, isNew: false };
    this.#roll(now);
    if (this.#recent.has(series)) return { series, isFolded: false, isNew: false };
    const key = keyOf(series);
    const isNew = !this.#seen.has(key) && !this.#seenBefore.has(key);
    if (isNew && this.#new >= perHourMax) {
      return overflow === 'fold'
        ? { series: this.#folded(series), isFolded: true, isNew: false }
        : { refused: this.#error(series, now) };
    }
    if (isNew) this.#new += 1;
    this.#remember(this.#seen, key);
    if (this.#seen.has(key)) this.#addRecent(series);
    return { series, isFolded: false, isNew };
  }

  /** Forgets series that were new by events that were not stored after all. */
  takeBack(appeared: readonly SeriesText[]): void {
    for (const series of appeared) {
      this.#recent.delete(series);
      if (this.#seen.delete(keyOf(series))) this.#new -= 1;
    }
  }

  #roll(now: Millis): void {
    const hour = Math.floor(now / HOUR_MS);
    if (hour === this.#hour) return;
    if (hour < this.#hour) {
      // A clock that is set back begins no hour again; the one that runs goes on, and ends with that of the clock.
      this.#hour = hour;
      return;
    }
    this.#seenBefore = hour === this.#hour + 1 ? this.#seen : new Set();
    this.#seen = new Set();
    this.#new = 0;
    this.#foldedMetrics.clear();
    this.#forgetRecent();
    this.#hour = hour;
  }

  #remember(keys: Set<string>, key: string): void {
    if (keys.size < this.#rules.perHourMax * REMEMBERED_HOURS) keys.add(key);
  }

  #addRecent(series: SeriesText): void {
    if (this.#recentCharacters + series.length > RECENT_CHARACTERS_MAX) this.#forgetRecent();
    this.#recent.add(series);
    this.#recentCharacters += series.length;
  }

  #forgetRecent(): void {
    this.#recent.clear();
    this.#recentCharacters = 0;
  }

  #folded(series: SeriesText): SeriesText {
    const metric = metricOf(series);
    if (this.#foldedMetrics.size < FOLDED_METRICS_MAX) this.#foldedMetrics.add(metric);
    return writeSeries(this.#foldedMetrics.has(metric) ? metric : this.#rules.metric, [OVERFLOW]);
  }

  #error(series: SeriesText, now: Millis): SeriesLimitError {
    const { perHourMax } = this.#rules;
    const seconds = Math.max(1, Math.ceil(((this.#hour + 1) * HOUR_MS - now) / 1000));
    return new SeriesLimitError(
      'labels',
      `too many new series: ${shown(series)} would be one more than the ${perHourMax} allowed in this hour; ` +
        'send fewer different label values, drop a label with labels.drop, or raise series.perHourMax',
      seconds,
    );
  }
}

function keyOf(series: SeriesText): string {
  return hash('sha256', series, 'base64url').slice(0, 22);
}
