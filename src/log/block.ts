import { crc32 } from 'node:zlib';
import type { Entry } from '../core/entry.ts';
import { unitBytes } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import type { Taken } from './taken.ts';

/** A row of the table of blocks. It may be damaged: then anything may stand in it. */
export type Row = readonly [
  last: unknown,
  count: unknown,
  arrived: unknown,
  text: unknown,
  checksum: unknown,
];

/**
 * Entries that were committed together, as they stand in one row of the file: a row costs about the same with one of them and with
 * hundreds. Each takes a line, in which the usual is left out:
 *
 * ```text
 * length ["e"] ["a" age] ["t" delay] ["v" value] " " series "\n"
 *
 * 24 deploys{env="production"}              an event of value 1 that arrived with the last of the block, at its own time
 * 24a3t-2000v0.5 deploys{env="production"}  arrived 3 ms before the last, its time is 2 s before its arrival, its value 0.5
 * 24ev0 deploys{env="production"}           an end
 * ```
 *
 * `length` is the series' in UTF-16 units, since a series may hold anything, line ends too. `value` is the shortest decimal that reads
 * back to the bit, or `-0`, `NaN`, `Infinity`, `-Infinity`. A change of this needs a new version of the schema.
 */
export interface Block {
  /** The offset of its last entry. Its entries are dense. */
  readonly last: Offset;
  /** How many they are: 1 or more. */
  readonly count: number;
  /** When the last of them arrived. */
  readonly arrived: Millis;
  readonly text: string;
  /** Made by `checksumOf`. */
  readonly checksum: number;
}

/** A block ends with this many entries, … */
export const ENTRIES_MAX = 1000;
/** … or with the one that takes it to so many UTF-16 units of series: who reads one entry loads its whole block. */
const SERIES_UNITS_MAX = 256 * 1024;

/** A block of entries that are lost; beyond `lost` the offsets were never given to any. */
export function writeHole(end: Offset, lost: number, last: Offset, arrived: Millis): Block {
  const block = { last, count: last - end, arrived, text: `${HOLE}${lost}` };
  return { ...block, checksum: checksumOf(block) };
}

/** Up to which offset its entries are lost, if it is such a block. */
export function lostIn({ text }: Block): number | undefined {
  return text.startsWith(HOLE) ? Number(text.slice(HOLE.length)) : undefined;
}

/** No entry's line begins so. */
const HOLE = 'lost ';

/** Makes a block of the entries from an index on, as many as fit. Throws a RangeError for times that are no whole milliseconds. */
export function writeBlock(entries: readonly Entry[], from: number): Block {
  const upTo = endOfBlock(entries, from);
  const { offset: last, arrived: lastArrived } = entries[upTo - 1] as Entry;
  let text = '';
  for (let index = from; index < upTo; index += 1) {
    const { kind, series, value, time, arrived } = entries[index] as Entry;
    text += series.length;
    if (kind === 'end') text += 'e';
    if (arrived !== lastArrived) text += `a${span(arrived, lastArrived)}`;
    if (time !== arrived) text += `t${span(arrived, time)}`;
    if (value !== 1) text += Object.is(value, -0) ? 'v-0' : `v${value}`;
    text += ` ${series}\n`;
  }
  const block = { last, count: upTo - from, arrived: lastArrived, text };
  return { ...block, checksum: checksumOf(block) };
}

/** The CRC-32 of a block's heading and text: damage by chance is noticed, all but once in four thousand million times. */
export function checksumOf({ last, count, arrived, text }: Omit<Block, 'checksum'>): number {
  return crc32(text, crc32(`${last} ${count} ${arrived}\n`));
}

/** The block that a row holds; undefined where it is not what was written. */
export function toBlock([last, count, arrived, text, checksum]: Row): Block | undefined {
  const isOne =
    Number.isSafeInteger(last) &&
    Number.isSafeInteger(count) &&
    Number.isSafeInteger(arrived) &&
    typeof text === 'string' &&
    typeof checksum === 'number';
  if (!isOne || (count as number) < 1 || (last as number) < (count as number)) return undefined;
  const block: Block = {
    last: last as Offset,
    count: count as number,
    arrived: arrived as Millis,
    text,
    checksum,
  };
  return isWhole(block) ? block : undefined;
}

/** Whether a block is as it was written. */
export function isWhole(block: Block): boolean {
  return block.checksum === checksumOf(block);
}

function endOfBlock(entries: readonly Entry[], from: number): number {
  const most = Math.min(entries.length, from + ENTRIES_MAX);
  let units = 0;
  for (let index = from; index < most; index += 1) {
    units += (entries[index] as Entry).series.length;
    if (units >= SERIES_UNITS_MAX) return index + 1;
  }
  return most;
}

/** From one moment to another, in ms. */
function span(from: Millis, to: Millis): number {
  const ms = to - from;
  if (!Number.isSafeInteger(ms)) throw new RangeError(`not whole milliseconds: from ${from} to ${to}`);
  return ms;
}

/** Takes a block's entries beyond `after`, up to and with `upTo`, until that is full. Throws where the block is damaged. */
export function readBlock(block: Block, after: Offset, upTo: Offset, taken: Taken): void {
  const { last, count } = block;
  const lines = new Lines(block);
  // Of the whole block: what is cut out of a text of two bytes a unit has as many.
  const bytes = unitBytes(block.text);
  for (let place = last - count + 1; place <= last && place <= upTo; place += 1) {
    const entry = lines.read(place, place > after);
    if (entry === undefined) continue;
    taken.add(entry, bytes);
    if (taken.isFull) return;
  }
  if (upTo >= last && !lines.isAtEnd) throw damaged(last);
}

/** The last of a block's entries that arrived at a time or before; undefined where none did. Throws where the block is damaged. */
export function lastArrivedBy(block: Block, time: Millis): Offset | undefined {
  const { last, count } = block;
  const lines = new Lines(block);
  let found: Offset | undefined;
  for (let place = last - count + 1; place <= last; place += 1) {
    lines.read(place, false);
    if (lines.arrived > time) break;
    found = place as Offset;
  }
  return found;
}

function damaged(place: number): Error {
  return new Error(`entry ${place} can't be read: the log file is damaged`);
}

const [SPACE, LINE_END, MINUS, DIGIT_0, DIGIT_9] = [0x20, 0x0a, 0x2d, 0x30, 0x39];
const [E, A, T, V] = [0x65, 0x61, 0x74, 0x76];

/** Reads a block line by line. */
class Lines {
  readonly #block: Block;
  readonly #text: string;
  #bytes: Buffer | undefined;
  #at = 0;
  /** When the entry arrived that was read or skipped last. */
  arrived = 0;

  constructor(block: Block) {
    this.#block = block;
    this.#text = block.text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Reads the next line, which is that of an offset, or skips it. */
  read(place: number, isWanted: boolean): Entry | undefined {
    const length = this.#integer();
    const kind = this.#has(E) ? 'end' : 'event';
    const arrived = this.#block.arrived - (this.#has(A) ? this.#integer() : 0);
    this.arrived = arrived;
    const time = arrived + (this.#has(T) ? this.#integer() : 0);
    const value = this.#has(V) ? this.#value() : 1;
    const from = this.#at + 1;
    const upTo = from + length;
    if (this.#text.charCodeAt(this.#at) !== SPACE || this.#text.charCodeAt(upTo) !== LINE_END) {
      throw damaged(place);
    }
    this.#at = upTo + 1;
    if (!isWanted) return undefined;
    return {
      offset: place as Offset,
      kind,
      series: this.#series(from, upTo) as SeriesText,
      value,
      time: time as Millis,
      arrived: arrived as Millis,
    };
  }

  /** Steps over a letter, if it is the next. */
  #has(letter: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== letter) return false;
    this.#at += 1;
    return true;
  }

  #integer(): number {
    const text = this.#text;
    const isNegative = this.#has(MINUS);
    let integer = 0;
    for (let code = text.charCodeAt(this.#at); code >= DIGIT_0 && code <= DIGIT_9;) {
      integer = integer * 10 + code - DIGIT_0;
      this.#at += 1;
      code = text.charCodeAt(this.#at);
    }
    return isNegative ? -integer : integer;
  }

  #value(): number {
    const from = this.#at;
    this.#at = this.#text.indexOf(' ', from);
    return Number(this.#text.slice(from, this.#at));
  }

  /**
   * A text in memory of its own. A slice keeps the text alive of which it is cut: one series that is remembered would keep its whole
   * block. Where all is ASCII, a place in the text is one in its bytes, and these make a text without the garbage of the other way.
   */
  #series(from: number, upTo: number): string {
    if (this.#block.count === 1) return this.#text.slice(from, upTo);
    this.#bytes ??= Buffer.from(this.#text);
    if (this.#bytes.length === this.#text.length) return this.#bytes.toString('latin1', from, upTo);
    return ` ${this.#text.slice(from, upTo)}`.slice(1);
  }
}
