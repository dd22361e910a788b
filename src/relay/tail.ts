import type { Entry } from '../core/entry.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';

/** What an entry costs in memory beside its series' text: the object and its numbers. An estimate. */
const ENTRY_BYTES = 96;
/** The array is cut once this many of its places, and half of them, are free. */
const FREE_PLACES_MAX = 4096;

/**
 * The newest entries of the log, in memory and shared by all scrapers, so that a usual scrape touches no disk. Bounded by bytes;
 * what leaves it is still in the log.
 */
export class Tail {
  readonly #bytesMax: number;
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #after: Offset = START;
  #end: Offset = START;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `end`: where the log ends now; the tail begins there. */
  start(end: Offset): void {
    this.#after = end;
    this.#end = end;
  }

  /** The offset of the newest entry: what scrapes take for the end of the log. */
  get end(): Offset {
    return this.#end;
  }

  /** Takes entries as the log commits them, in the order of their offsets. */
  push(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += cost(entry);
      this.#end = entry.offset;
    }
    while (this.#bytes > this.#bytesMax) this.#evict();
    this.#compact();
  }

  /** The entries beyond `after`, up to and with `upTo`, at most `entriesMax`; undefined where the tail begins later. */
  slice(after: Offset, upTo: Offset, entriesMax: number): readonly Entry[] | undefined {
    if (after < this.#after) return undefined;
    const from = this.#indexBeyond(after);
    const to = Math.min(this.#indexBeyond(upTo), from + entriesMax);
    return this.#entries.slice(from, to) as Entry[];
  }

  #evict(): void {
    const entry = this.#entries[this.#first] as Entry;
    this.#entries[this.#first] = undefined;
    this.#first += 1;
    this.#bytes -= cost(entry);
    this.#after = entry.offset;
  }

  #compact(): void {
    if (this.#first < FREE_PLACES_MAX || this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  /** The index of the first entry beyond an offset: a binary search, since offsets may have gaps. */
  #indexBeyond(offset: Offset): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function cost(entry: Entry): number {
  return ENTRY_BYTES + entry.series.length;
}
