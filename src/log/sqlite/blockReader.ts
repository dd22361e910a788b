import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { LogRead, ReadLimits } from '../entryLog.ts';
import type { Block, Row } from '../block.ts';
import { ENTRIES_MAX, lastArrivedBy, lostIn, readBlock, toBlock } from '../block.ts';
import type { DamageWatch } from './damageWatch.ts';
import { isCorrupt } from './sqliteError.ts';
import { Taken } from '../taken.ts';

/** A row without what takes long to read. */
export type Heading = readonly [last: Offset, count: number, arrived: Millis];

const HEADING = 'SELECT last, count, arrived FROM blocks';

/**
 * Reads the blocks of a file that may be damaged. A block that is not what was written is passed over whole, as is one that is missing, and
 * one on a page that SQLite can't read: what nobody can have is lost, and everything beyond it goes on.
 */
export class BlockReader {
  readonly #watch: DamageWatch;
  readonly #select: StatementSync;
  readonly #heading: StatementSync;
  readonly #lastBy: StatementSync;
  readonly #lastOnly: StatementSync;

  constructor(db: DatabaseSync, watch: DamageWatch) {
    this.#watch = watch;
    // From an entry on, and not beyond one: looking for what lies beyond the last of a page, SQLite would read that page, too.
    this.#select = db.prepare(
      'SELECT last, count, arrived, text, checksum FROM blocks ' +
        'WHERE last >= ? AND last <= (SELECT min(last) FROM blocks WHERE last >= ?) ORDER BY last',
    );
    this.#heading = db.prepare(`${HEADING} WHERE last >= ? ORDER BY last LIMIT 1`);
    this.#lastBy = db.prepare('SELECT arrived FROM blocks WHERE last <= ? ORDER BY last DESC LIMIT 1');
    // As with all numbers that nobody has checked yet, any may stand there.
    this.#lastBy.setReadBigInts(true);
    this.#lastOnly = db.prepare(
      'SELECT last FROM blocks WHERE last > 0 AND last <= ? ORDER BY last DESC LIMIT 1',
    );
    for (const each of [this.#select, this.#heading, this.#lastOnly]) each.setReturnArrays(true);
  }

  /** Those beyond `from`, which is not trimmed, up to and with `upTo`, which is there, as many as the limits allow; no block is loaded beyond the last of them. */
  read(from: Offset, upTo: Offset, limits: ReadLimits): LogRead {
    const last = Math.min(upTo, from + limits.entriesMax);
    const taken = new Taken(limits);
    let at: number = from;
    let lost = 0;
    const skip = (to: number, why: string): void => {
      if (to <= at) return;
      lost += this.#watch.passedOver(offset(at), offset(to), why);
      at = to;
    };
    while (at < last && !taken.isFull) {
      let why = 'missing';
      let isInHole = false;
      try {
        for (const row of this.#select.iterate(at + 1, last) as unknown as Iterable<Row>) {
          const block = toBlock(row);
          if (block === undefined || block.last <= at) {
            why = 'damaged';
            this.#watch.keepAside(row);
            continue;
          }
          // However large the gap is: nothing in it takes time.
          skip(Math.min(block.last - block.count, upTo), why);
          why = 'missing';
          if (at >= last) break;
          const lostUpTo = lostIn(block);
          if (lostUpTo !== undefined) {
            const to = Math.min(block.last, upTo);
            lost += Math.max(0, Math.min(lostUpTo, to) - at);
            at = to;
            isInHole = true;
            break;
          }
          const before = taken.entries.length;
          readBlock(block, at as Offset, last as Offset, taken);
          at += taken.entries.length - before;
          if (taken.isFull) break;
        }
        if (!taken.isFull && !isInHole) skip(last, why);
      } catch (error) {
        if (!isCorrupt(error)) throw error;
        this.#forgetError();
        // What stood before it has been taken.
        skip(Math.min(this.#beyondDamage(at, last), last), (error as Error).message);
      }
    }
    return { entries: taken.entries, upTo: at as Offset, lost };
  }

  /** The last entry that arrived at a time or before, from `low`, which is where the log was trimmed, to `high`. */
  arrivedBy(time: Millis, trimmed: Offset, upTo: Offset): Offset {
    let low: number = trimmed;
    let high: number = upTo;
    /** The first block that is known to end later than that. */
    let later: Heading | undefined;
    // Entries are dense but for what is damaged, and `arrived` never decreases: the answer lies from `low` to `high`, or in that block.
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const block = this.#headingFrom(middle) ?? this.#headingFrom(this.#beyondDamage(middle - 1, high) + 1);
      if (block === undefined) {
        high = middle - 1;
        continue;
      }
      const [last, count, arrived] = block;
      if (arrived <= time) {
        low = Math.min(last, high);
      } else {
        later = block;
        high = Math.max(low, Math.min(middle - 1, last - count));
      }
    }
    if (later === undefined || later[1] === 1) return low as Offset;
    const block = this.#blockAt(later[0]);
    const found = block === undefined || lostIn(block) !== undefined ? undefined : lastArrivedBy(block, time);
    return Math.min(Math.max(low, found ?? low), upTo) as Offset;
  }

  /**
   * When the last block arrived that ends with an entry or before, as its row says, which may be damaged; undefined where there is no such block. Throws
   * where its page can't be read.
   */
  lastArrivedIn(place: number): number | undefined {
    const row = this.#lastBy.get(place);
    return row === undefined ? undefined : Number(row['arrived']);
  }

  /** The first block that ends beyond a place; undefined where there is none, or its page can't be read. */
  firstBeyond(place: number): Heading | undefined {
    return this.#headingFrom(place + 1);
  }

  /**
   * The last block that is whole, and where the log ends as far as the damaged ones behind it tell. Throws where a page can't be read.
   */
  lastWhole(): { block: Block | undefined; end: number } {
    const damaged: number[] = [];
    for (let at = Number.MAX_SAFE_INTEGER; ;) {
      const row = this.#lastOnly.get(at) as unknown as readonly [Offset] | undefined;
      const block = row === undefined ? undefined : this.#blockAt(row[0]);
      if (row === undefined || block !== undefined) return { block, end: endOf(block?.last ?? 0, damaged) };
      damaged.push(row[0]);
      at = row[0] - 1;
    }
  }

  /** A statement that failed halfway throws its error once more when it is run again. */
  #forgetError(): void {
    try {
      this.#select.get(Number.MAX_SAFE_INTEGER, 0);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
  }

  #blockAt(last: number): Block | undefined {
    try {
      const row = this.#select.get(last, last) as unknown as Row | undefined;
      return row === undefined ? undefined : toBlock(row);
    } catch (error) {
      if (isCorrupt(error)) return undefined;
      throw error;
    }
  }

  /** The first block that ends with an entry or beyond it; undefined where there is none, or its page can't be read. */
  #headingFrom(place: number): Heading | undefined {
    try {
      const heading = this.#heading.get(place) as unknown as Heading | undefined;
      return heading?.every((each) => Number.isSafeInteger(each)) === true ? heading : undefined;
    } catch (error) {
      if (isCorrupt(error)) return undefined;
      throw error;
    }
  }

  /**
   * Where the log can be read again, behind a place at which SQLite gave up. Mostly a text can't be read, and its heading can: then behind
   * that block. Else a page is damaged, which holds neighbours: the end of it is found in steps that double, then halve.
   */
  #beyondDamage(at: number, last: number): number {
    const heading = this.#headingFrom(at + 1);
    if (heading !== undefined) return Math.max(heading[0], at + 1);
    let low = at + 1;
    let step = 1;
    while (low + step <= last && this.#headingFrom(low + step) === undefined) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step, last + 1);
    while (low + 1 < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#headingFrom(middle) === undefined) low = middle;
      else high = middle;
    }
    const next = this.#headingFrom(high);
    return next === undefined ? last : Math.max(high - 1, next[0] - next[1]);
  }
}

/** Where blocks end of which the last is known to be whole, and the others, the last first, are damaged: their own word counts where it can be true. */
function endOf(whole: number, damaged: readonly number[]): number {
  const most = whole + damaged.length * ENTRIES_MAX;
  return damaged.find((last) => last <= most) ?? whole;
}
