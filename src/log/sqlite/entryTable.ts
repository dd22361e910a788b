import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Entry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { LogRead, ReadLimits } from '../log.ts';
import type { Block } from './block.ts';
import { lastArrivedBy, readBlock, writeBlock } from './block.ts';
import { Taken } from './taken.ts';
import type { Append } from './groupCommit.ts';
import type { IdTable } from './idTable.ts';
import { readMeta, writeMeta } from './meta.ts';
import { pragma } from './openDatabase.ts';
import type { Transactions } from './transactions.ts';

/** A row of the table of blocks. Its numbers were checked when they were written. */
type Row = readonly [last: Offset, count: number, arrived: Millis, text: string];

/** A row without what takes long to read. */
type Heading = readonly [last: Offset, count: number, arrived: Millis];

/**
 * The entries in the file: dense, from `trimmed` + 1 to `end`, in blocks of those that were committed together. Small blocks stay as they
 * are: to merge them would write each entry twice, and a block of one costs no more than a row for each entry would.
 *
 * Opening reads only the last block, however many there are.
 */
export class EntryTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #ids: IdTable;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #heading: StatementSync;
  readonly #lastBy: StatementSync;
  readonly #delete: StatementSync;
  #trimmed: Offset;
  #end: Offset;
  #lastArrived: Millis;

  constructor(db: DatabaseSync, transactions: Transactions, ids: IdTable) {
    this.#db = db;
    this.#transactions = transactions;
    this.#ids = ids;
    this.#insert = prepareInsert(db);
    this.#select = db.prepare(
      'SELECT last, count, arrived, text FROM blocks ' +
        'WHERE last > ? AND last <= (SELECT min(last) FROM blocks WHERE last >= ?) ORDER BY last',
    );
    this.#heading = db.prepare(
      'SELECT last, count, arrived FROM blocks WHERE last >= ? ORDER BY last LIMIT 1',
    );
    this.#lastBy = db.prepare(
      'SELECT last, count, arrived FROM blocks WHERE last <= ? ORDER BY last DESC LIMIT 1',
    );
    for (const each of [this.#select, this.#heading, this.#lastBy]) each.setReturnArrays(true);
    this.#delete = db.prepare('DELETE FROM blocks WHERE last <= ?');
    this.#trimmed = offset(readMeta(db, 'trimmed'));
    const last = this.#lastBlockBy(Number.MAX_SAFE_INTEGER);
    this.#end = offset(last?.[0] ?? this.#trimmed);
    this.#lastArrived = millis(last?.[2] ?? readMeta(db, 'trimmed_arrived'));
  }

  get trimmed(): Offset {
    return this.#trimmed;
  }

  /** The last committed entry; it may not be synced yet. */
  get end(): Offset {
    return this.#end;
  }

  /** Of the last committed entry, or of the last there was. */
  get lastArrived(): Millis {
    return this.#lastArrived;
  }

  /** What the file occupies, without the pages that are free to be used again. */
  bytes(): number {
    return (
      (pragma(this.#db, 'page_count') - pragma(this.#db, 'freelist_count')) * pragma(this.#db, 'page_size')
    );
  }

  /**
   * Appends several calls' entries, with their ids, in one transaction. Returns what the entries became. `makesRoom` as in
   * `Transactions.run`.
   */
  append(calls: readonly Append[], makesRoom = true): readonly Entry[] {
    const { appended, idsAdded } = this.#transactions.run(() => this.#insertAll(calls), makesRoom);
    this.#ids.added(idsAdded);
    const last = appended.at(-1);
    if (last !== undefined) {
      this.#end = last.offset;
      this.#lastArrived = last.arrived;
    }
    return appended;
  }

  /** Changes nothing but the file: where that is rolled back, it may be done again. */
  #insertAll(calls: readonly Append[]): { appended: readonly Entry[]; idsAdded: number } {
    const appended: Entry[] = [];
    let place: number = this.#end;
    let idsAdded = 0;
    for (const { entries, ids } of calls) {
      for (const { kind, series, value, time, arrived } of entries) {
        place += 1;
        appended.push({ offset: place as Offset, kind, series, value, time, arrived });
      }
      const last = entries.at(-1);
      if (last !== undefined && ids.length > 0) idsAdded += this.#ids.add(ids, last.arrived, idsAdded);
    }
    offset(place);
    insertBlocks(this.#insert, appended);
    return { appended, idsAdded };
  }

  /** Those beyond `after`, up to and with `upTo`, which is there, as many as the limits allow; no block is loaded beyond the last of them. */
  read(after: Offset, upTo: Offset, limits: ReadLimits): LogRead {
    const from = Math.max(after, this.#trimmed) as Offset;
    const last = Math.min(upTo, from + limits.entriesMax) as Offset;
    const taken = new Taken(limits);
    const { entries } = taken;
    if (last <= from) return { entries, upTo: offset(Math.max(after, upTo)), lost: 0 };
    for (const row of this.#select.iterate(from, last) as unknown as Iterable<Row>) {
      const block = toBlock(row);
      if (block.last - block.count > from + entries.length) throw missing(from + entries.length + 1);
      readBlock(block, from, last, taken);
      if (taken.isFull) break;
    }
    if (!taken.isFull && from + entries.length < last) throw missing(from + entries.length + 1);
    return { entries, upTo: offset(from + entries.length), lost: 0 };
  }

  /** The last entry that arrived at a time or before, among those up to and with `upTo`, which is there; `trimmed` where none did. */
  arrivedBy(time: Millis, upTo: Offset): Offset {
    let low: number = this.#trimmed;
    let high: number = upTo;
    /** The first block that is known to end later than that. */
    let later: Heading | undefined;
    // Entries are dense, and `arrived` never decreases: the answer lies from `low` to `high`, or in that block.
    while (low < high) {
      const block = this.#blockOf(Math.ceil((low + high) / 2));
      const [last, count, arrived] = block;
      if (arrived <= time) {
        low = Math.min(last, high);
      } else {
        later = block;
        high = Math.max(low, last - count);
      }
    }
    if (later === undefined || later[1] === 1) return low as Offset;
    const [row] = this.#select.all(later[0] - 1, later[0]) as unknown as Row[];
    const found = row === undefined ? undefined : lastArrivedBy(toBlock(row), time);
    return Math.min(Math.max(low, found ?? low), upTo) as Offset;
  }

  /** Forgets the entries up to one that is there. A block of which one is left stays as it is, and the mark hides the others. */
  trim(upTo: Offset): void {
    this.#transactions.run(() => {
      const last = this.#lastBlockBy(upTo);
      if (last !== undefined) {
        writeMeta(this.#db, 'trimmed_arrived', last[2]);
        this.#delete.run(upTo);
      }
      writeMeta(this.#db, 'trimmed', upTo);
    });
    this.#trimmed = upTo;
  }

  /** The block that holds an entry. It must be there. */
  #blockOf(place: number): Heading {
    const block = this.#heading.get(place) as unknown as Heading | undefined;
    if (block === undefined || block[0] - block[1] >= place) throw missing(place);
    return block;
  }

  /** The last block that ends with an entry or before. */
  #lastBlockBy(place: number): Heading | undefined {
    return this.#lastBy.get(place) as unknown as Heading | undefined;
  }
}

/** What `insertBlocks` runs. */
export function prepareInsert(db: DatabaseSync): StatementSync {
  return db.prepare('INSERT INTO blocks (last, count, arrived, text) VALUES (?, ?, ?, ?)');
}

/** Writes dense entries in as few blocks as they fit in, within the caller's transaction. */
export function insertBlocks(insert: StatementSync, entries: readonly Entry[]): void {
  for (let from = 0; from < entries.length;) {
    const { last, count, arrived, text } = writeBlock(entries, from);
    insert.run(last, count, arrived, text);
    from += count;
  }
}

function toBlock([last, count, arrived, text]: Row): Block {
  return { last, count, arrived, text };
}

function missing(place: number): Error {
  return new Error(`entry ${place} is missing from the log: the file is damaged`);
}
