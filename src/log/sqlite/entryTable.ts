import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Entry, EntryKind } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { SeriesText } from '../../core/series.ts';
import type { Append } from './groupCommit.ts';
import type { IdTable } from './idTable.ts';
import { readMeta, writeMeta } from './meta.ts';
import { pragma } from './openDatabase.ts';
import type { Transactions } from './transactions.ts';

/** How a kind stands in the file; never to be changed. */
const KIND_CODES: Record<EntryKind, number> = { event: 0, end: 1 };

const COLUMNS = 'offset, kind, time, arrived, value, series';

/** A row in the order of `COLUMNS`. Its numbers were checked when they were written. */
type Row = readonly [
  offset: Offset,
  kind: number,
  time: Millis,
  arrived: Millis,
  value: number | null,
  series: SeriesText,
];

/** The entries in the file: dense, from `trimmed` + 1 to `end`. Opening reads only the last of them, however many there are. */
export class EntryTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #ids: IdTable;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #arrivedAt: StatementSync;
  readonly #delete: StatementSync;
  #trimmed: Offset;
  #end: Offset;
  #lastArrived: Millis;

  constructor(db: DatabaseSync, transactions: Transactions, ids: IdTable) {
    this.#db = db;
    this.#transactions = transactions;
    this.#ids = ids;
    this.#insert = db.prepare(`INSERT INTO entries (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#select = db.prepare(
      `SELECT ${COLUMNS} FROM entries WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?`,
    );
    this.#select.setReturnArrays(true);
    this.#arrivedAt = db.prepare('SELECT arrived FROM entries WHERE offset = ?');
    this.#delete = db.prepare('DELETE FROM entries WHERE offset <= ?');
    this.#trimmed = offset(readMeta(db, 'trimmed'));
    const { last } = db.prepare('SELECT max(offset) AS last FROM entries').get() as { last: number | null };
    this.#end = offset(last ?? this.#trimmed);
    this.#lastArrived = last === null ? millis(readMeta(db, 'trimmed_arrived')) : this.arrivedAt(this.#end);
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
   * Appends several calls' entries, with their ids, in one transaction. Returns what the entries became, call by call. `makesRoom` as
   * in `Transactions.run`.
   */
  append(calls: readonly Append[], makesRoom = true): readonly (readonly Entry[])[] {
    const { appended, idsAdded } = this.#transactions.run(() => this.#insertAll(calls), makesRoom);
    this.#ids.added(idsAdded);
    const last = appended.findLast((entries) => entries.length > 0)?.at(-1);
    if (last !== undefined) {
      this.#end = last.offset;
      this.#lastArrived = last.arrived;
    }
    return appended;
  }

  /** Changes nothing but the file: where that is rolled back, it may be done again. */
  #insertAll(calls: readonly Append[]): { appended: readonly (readonly Entry[])[]; idsAdded: number } {
    let place = this.#end;
    let idsAdded = 0;
    const appended = calls.map(({ entries, ids }) => {
      const last = entries.at(-1);
      if (last !== undefined) idsAdded += this.#ids.add(ids, last.arrived, idsAdded);
      return entries.map(({ kind, series, value, time, arrived }): Entry => {
        place = offset(place + 1);
        this.#insert.run(place, KIND_CODES[kind], time, arrived, value, series);
        return { offset: place, kind, series, value, time, arrived };
      });
    });
    return { appended, idsAdded };
  }

  read(after: Offset, upTo: Offset, entriesMax: number): readonly Entry[] {
    return (this.#select.all(after, upTo, entriesMax) as unknown as Row[]).map(toEntry);
  }

  /** When an entry arrived. It must be there. */
  arrivedAt(place: Offset): Millis {
    const row = this.#arrivedAt.get(place);
    if (row === undefined) throw new Error(`entry ${place} is missing from the log: the file is damaged`);
    return millis(row['arrived'] as number);
  }

  /** Removes the entries up to one that is there; the mark moves in the same transaction. */
  trim(upTo: Offset): void {
    this.#transactions.run(() => {
      writeMeta(this.#db, 'trimmed_arrived', this.arrivedAt(upTo));
      writeMeta(this.#db, 'trimmed', upTo);
      this.#delete.run(upTo);
    });
    this.#trimmed = upTo;
  }
}

function toEntry([place, kind, time, arrived, value, series]: Row): Entry {
  return {
    offset: place,
    kind: kind === KIND_CODES.end ? 'end' : 'event',
    series,
    value: value ?? Number.NaN,
    time,
    arrived,
  };
}
