import type { Entry } from '../core/entry.ts';
import { textBytes } from '../core/memory.ts';
import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import { lineBytes } from './stretch.ts';
import type { Stretch } from './stretch.ts';

/** Entries of one chunk. A page has whole chunks but for its ends, so that little of it has to be rendered for one scraper alone. */
export const CHUNK_ENTRIES = 512;

/** What an entry takes here, beside its series' text, in bytes: its numbers, and its place among the latest of each series. An estimate. */
const ENTRY_BYTES = 96;

/**
 * Consecutive entries in columns: half as large as objects, and nothing for the garbage collector to walk through. It grows until it is
 * full, and what was in it never changes.
 */
export class Chunk {
  /** The offset of the first entry; those of the others follow from it. */
  #first: Offset = START;
  readonly #times = new Float64Array(CHUNK_ENTRIES);
  readonly #arrived = new Float64Array(CHUNK_ENTRIES);
  readonly #values = new Float64Array(CHUNK_ENTRIES);
  /** For each entry the latest one of its series that the tail knew before it. */
  readonly #repeats = new Float64Array(CHUNK_ENTRIES);
  readonly #isEnd = new Uint8Array(CHUNK_ENTRIES);
  /** Made as long as it gets: an array that grows leaves what it was behind, time and again. */
  readonly #series = Array.from<SeriesText>({ length: CHUNK_ENTRIES });
  #length = 0;
  /** What the lines up to each entry take, that included; filled as far as somebody asked. */
  #bytesUpTo: Float64Array | undefined;
  #measured = 0;
  #whole: ChunkStretch | undefined;
  #cost = 0;

  /** Takes one more. `repeats`: the offset of the latest entry of its series before it; 0 for none. */
  push({ kind, series, value, time, arrived, offset }: Entry, repeats: number): void {
    const at = this.#length;
    this.#length += 1;
    this.#series[at] = series;
    if (at === 0) this.#first = offset;
    this.#times[at] = time;
    this.#arrived[at] = arrived;
    this.#values[at] = value;
    this.#repeats[at] = repeats;
    if (kind === 'end') this.#isEnd[at] = 1;
    this.#cost += ENTRY_BYTES + textBytes(series);
    this.#whole = undefined;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === CHUNK_ENTRIES;
  }

  /** What it takes in memory, in bytes. An estimate. */
  get cost(): number {
    return this.#cost;
  }

  /** The last entry's offset. It must have one. */
  get last(): Offset {
    return this.offsetAt(this.length - 1);
  }

  offsetAt(index: number): Offset {
    return (this.#first + index) as Offset;
  }

  seriesAt(index: number): SeriesText {
    return this.#series[index] as SeriesText;
  }

  /** The index of the first entry beyond an offset. */
  indexBeyond(offset: Offset): number {
    if (this.length === 0) return 0;
    return Math.min(Math.max(offset - this.#first + 1, 0), this.length);
  }

  /** The entries from one index to before another; all of them are one stretch for everybody, until there are more. */
  stretch(from: number, to: number): Stretch {
    if (from > 0 || to < this.length) return new ChunkStretch(this, from, to, false);
    this.#whole ??= new ChunkStretch(this, 0, to, true);
    return this.#whole;
  }

  entry(index: number): Entry {
    return {
      kind: this.#isEnd[index] === 1 ? 'end' : 'event',
      series: this.seriesAt(index),
      value: this.#values[index] as number,
      time: this.#times[index] as Millis,
      arrived: this.#arrived[index] as Millis,
      offset: this.offsetAt(index),
    };
  }

  earliest(from: number, to: number): number {
    let earliest = Infinity;
    for (let i = from; i < to; i += 1) earliest = Math.min(earliest, this.#times[i] as number);
    return earliest;
  }

  /** The latest of the entries that those from one index to before another repeat; with or without what the ends among these do. */
  repeats(from: number, to: number, withEnds: boolean): number {
    let latest = 0;
    for (let i = from; i < to; i += 1)
      if (withEnds || this.#isEnd[i] === 0) latest = Math.max(latest, this.#repeats[i] as number);
    return latest;
  }

  /** What the lines before an index take, in bytes. */
  bytesBefore(index: number): number {
    if (index === 0) return 0;
    const upTo = (this.#bytesUpTo ??= new Float64Array(CHUNK_ENTRIES));
    for (; this.#measured < index; this.#measured += 1) {
      const before = this.#measured === 0 ? 0 : (upTo[this.#measured - 1] as number);
      upTo[this.#measured] = before + lineBytes({ series: this.seriesAt(this.#measured) });
    }
    return upTo[index - 1] as number;
  }
}

/** A part of a chunk, or all of it. */
class ChunkStretch implements Stretch {
  readonly isShared: boolean;
  readonly length: number;
  readonly last: Offset;
  readonly earliest: number;
  readonly eventsRepeat: number;
  readonly entriesRepeat: number;
  readonly #chunk: Chunk;
  readonly #from: number;

  constructor(chunk: Chunk, from: number, to: number, isShared: boolean) {
    this.#chunk = chunk;
    this.#from = from;
    this.isShared = isShared;
    this.length = to - from;
    this.last = chunk.offsetAt(to - 1);
    this.earliest = chunk.earliest(from, to);
    this.eventsRepeat = chunk.repeats(from, to, false);
    this.entriesRepeat = chunk.repeats(from, to, true);
  }

  get bytes(): number {
    return this.#chunk.bytesBefore(this.#from + this.length) - this.#chunk.bytesBefore(this.#from);
  }

  entries(): readonly Entry[] {
    return Array.from({ length: this.length }, (_, i) => this.#chunk.entry(this.#from + i));
  }

  first(count: number): Stretch {
    return count === this.length ? this : this.#chunk.stretch(this.#from, this.#from + count);
  }

  countWithin(bytes: number): number {
    const most = this.#chunk.bytesBefore(this.#from) + bytes;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunk.bytesBefore(this.#from + middle) <= most) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
