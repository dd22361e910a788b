import type { Entry } from '../core/entry.ts';
import type { Share } from '../core/memory.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import { TextMap } from '../core/textMap.ts';
import { Chunk } from './chunk.ts';
import type { Stretch } from './stretch.ts';

/** A chunk that takes this share of the tail is closed early, so that what is evicted together stays small. */
const CHUNK_SHARE = 1 / 16;
/** The array is cut once this many of its places, and half of them, are free. */
const FREE_PLACES_MAX = 64;

/**
 * The newest entries of the log, in memory and shared by all scrapers, so that a usual scrape touches no disk. Bounded by bytes;
 * what leaves it is still in the log.
 */
export class Tail {
  readonly #memory: Share;
  readonly #bytesMax: number;
  /** Of each series in here the latest entry. */
  readonly #latest = new TextMap<Offset>();
  #chunks: (Chunk | undefined)[] = [];
  #first = 0;
  #after: Offset = START;
  #end: Offset = START;

  /** `bytesMax`: what it may take, where that is less than its share. */
  constructor(memory: Share, bytesMax = memory.bytesMax) {
    this.#memory = memory;
    this.#bytesMax = Math.min(bytesMax, memory.bytesMax);
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
    let chunk = this.#open();
    let bytes = 0;
    for (const entry of entries) {
      if (chunk.isFull || chunk.cost > this.#bytesMax * CHUNK_SHARE) chunk = this.#begin();
      const { series, offset } = entry;
      const before = chunk.cost;
      chunk.push(entry, this.#latest.get(series) ?? START);
      this.#latest.set(series, offset);
      bytes += chunk.cost - before;
      this.#end = offset;
    }
    this.#memory.force(bytes);
    while (this.#memory.held > this.#bytesMax) this.#evict();
    this.#compact();
  }

  /**
   * The entries beyond `after`, up to and with `upTo`, at most `entriesMax`; undefined where the tail begins later. To be gone through at once,
   * as far as they are wanted: a stretch that nobody asks for is not made.
   */
  slice(after: Offset, upTo: Offset, entriesMax: number): Iterable<Stretch> | undefined {
    return after < this.#after ? undefined : this.#stretches(after, upTo, entriesMax);
  }

  /** The first chunk that takes no more entries and has none up to `after`, all of it; undefined while there is none. */
  wholeBeyond(after: Offset): Stretch | undefined {
    let index = this.#indexBeyond(after);
    const cut = this.#chunks[index];
    if (cut !== undefined && cut.length > 0 && cut.offsetAt(0) <= after) index += 1;
    const chunk = this.#chunks[index];
    const isClosed = chunk?.isFull === true || index < this.#chunks.length - 1;
    return isClosed ? chunk?.stretch(0, chunk.length) : undefined;
  }

  *#stretches(after: Offset, upTo: Offset, entriesMax: number): Generator<Stretch> {
    let left = entriesMax;
    for (let i = this.#indexBeyond(after); i < this.#chunks.length && left > 0; i += 1) {
      const chunk = this.#chunks[i] as Chunk;
      const from = chunk.indexBeyond(after);
      const to = Math.min(chunk.indexBeyond(upTo), from + left);
      if (from === to) break;
      yield chunk.stretch(from, to);
      left -= to - from;
    }
  }

  #open(): Chunk {
    return this.#chunks.at(-1) ?? this.#begin();
  }

  #begin(): Chunk {
    const chunk = new Chunk();
    this.#chunks.push(chunk);
    return chunk;
  }

  #evict(): void {
    const chunk = this.#chunks[this.#first] as Chunk;
    this.#chunks[this.#first] = undefined;
    this.#first += 1;
    this.#memory.give(chunk.cost);
    this.#after = chunk.last;
    for (let i = 0; i < chunk.length; i += 1) {
      const series = chunk.seriesAt(i);
      if (this.#latest.get(series) === chunk.offsetAt(i)) this.#latest.delete(series);
    }
  }

  #compact(): void {
    if (this.#first < FREE_PLACES_MAX || this.#first * 2 < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }

  /** The index of the first chunk that holds an entry beyond an offset. */
  #indexBeyond(offset: Offset): number {
    let low = this.#first;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as Chunk;
      if (chunk.length === 0 || chunk.last > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
