import type { Entry } from '../core/entry.ts';
import type { Offset } from '../core/offset.ts';
import type { Run } from '../core/run.ts';

/** What a sample's line costs beside its series: the value, the time, the separators, in bytes. An estimate. */
const LINE_BYTES = 40;

/** A run as a page is put together of it: what has to be known of its entries without looking at each. */
export interface Stretch extends Run {
  /** The last entry's offset. It has one entry at least. */
  readonly last: Offset;
  /** What its lines take, about, in bytes. */
  readonly bytes: number;
  /** The earliest time of any entry, in ms since the Unix epoch. */
  readonly earliest: number;
  /**
   * The latest offset of an entry whose series has an event in here, too, behind it; 0 for none, Infinity where nobody knows. So a page
   * that begins at it, or later, shows no series twice.
   */
  readonly eventsRepeat: number;
  /** The same of whatever stands in here, ends of pulses too. */
  readonly entriesRepeat: number;
  /** Its first `count` entries: from 1 to all. */
  first(count: number): Stretch;
  /** How many of its first entries take no more than so many bytes. */
  countWithin(bytes: number): number;
}

/** What an entry's line takes, about, in bytes. */
export function lineBytes({ series }: Pick<Entry, 'series'>): number {
  return Buffer.byteLength(series) + LINE_BYTES;
}

/** A stretch that was read from the log itself. */
export class ReadStretch implements Stretch {
  readonly isShared = false;
  readonly eventsRepeat = Infinity;
  readonly entriesRepeat = Infinity;
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  get length(): number {
    return this.#entries.length;
  }

  get last(): Offset {
    return (this.#entries.at(-1) as Entry).offset;
  }

  get bytes(): number {
    let sum = 0;
    for (const entry of this.#entries) sum += lineBytes(entry);
    return sum;
  }

  get earliest(): number {
    let earliest = Infinity;
    for (const { time } of this.#entries) if (time < earliest) earliest = time;
    return earliest;
  }

  entries(): readonly Entry[] {
    return this.#entries;
  }

  first(count: number): Stretch {
    return new ReadStretch(this.#entries.slice(0, count));
  }

  countWithin(bytes: number): number {
    let sum = 0;
    for (const [index, entry] of this.#entries.entries()) {
      sum += lineBytes(entry);
      if (sum > bytes) return index;
    }
    return this.#entries.length;
  }
}
