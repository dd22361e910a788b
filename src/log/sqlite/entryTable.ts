import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Entry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import type { LogRead, ReadLimits } from '../entryLog.ts';
import type { Block } from '../block.ts';
import { ENTRIES_MAX, writeBlock, writeHole } from '../block.ts';
import { BlockReader } from './blockReader.ts';
import type { DamageWatch } from './damageWatch.ts';
import type { Append } from './groupCommit.ts';
import type { Arrival, IdTable } from './idTable.ts';
import { isWell } from './integrity.ts';
import { readMeta, writeMeta } from './meta.ts';
import { pragma } from './openDatabase.ts';
import { damagedError, isCorrupt } from './sqliteError.ts';
import type { Transactions } from './transactions.ts';

/**
 * The entries in the file: dense, from `trimmed` + 1 to `end`, in blocks of those that were committed together. Small blocks stay as they
 * are: to merge them would write each entry twice, and a block of one costs no more than a row for each entry would.
 *
 * Opening reads only the last block that is whole, however many there are.
 */
export class EntryTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #ids: IdTable;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #readAll: StatementSync;
  readonly #reader: BlockReader;
  #trimmed: Offset;
  #end: Offset;
  #lastArrived: Millis;

  constructor(db: DatabaseSync, transactions: Transactions, ids: IdTable, watch: DamageWatch) {
    this.#db = db;
    this.#transactions = transactions;
    this.#ids = ids;
    this.#insert = db.prepare(
      'INSERT INTO blocks (last, count, arrived, text, checksum) VALUES (?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM blocks WHERE last > ? AND last <= ?');
    this.#readAll = db.prepare('SELECT sum(length(text)) FROM blocks WHERE last > ? AND last <= ?');
    this.#reader = new BlockReader(db, watch);
    this.#trimmed = offset(readMeta(db, 'trimmed'));
    const { block, end } = this.#reader.lastWhole();
    const why = trimmedFault(this.#trimmed, block);
    // Entries that are trimmed are there where they stood on a damaged page (`trim`). Else they are gone, and it is `trimmed` that is wrong.
    if (why !== undefined && isWell(db, 'blocks')) throw damagedError(db, 'the table meta', { why });
    if (end > COUNTED_MAX)
      throw damagedError(db, 'the table blocks', {
        why: `it ends at ${end}; it must end at ${COUNTED_MAX} at most`,
      });
    this.#end = offset(Math.max(this.#trimmed, end));
    this.#lastArrived = millis(block?.arrived ?? readMeta(db, 'trimmed_arrived'));
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

  /** Puts a hole at the end of the log, behind which it goes on: entries up to `lost` are lost, and none has an offset up to `last`. */
  addHole(lost: number, last: Offset): void {
    const block = writeHole(this.#end, lost, last, this.#lastArrived);
    this.#transactions.run(() => insertBlock(this.#insert, block));
    this.#end = last;
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
    const arrivals: Arrival[] = [];
    let place: number = this.#end;
    for (const { entries, ids } of calls) {
      const first = place + 1;
      for (const { kind, series, value, time, arrived } of entries) {
        place += 1;
        appended.push({ offset: place as Offset, kind, series, value, time, arrived });
      }
      const last = entries.at(-1);
      if (last !== undefined && ids.length > 0) arrivals.push({ ids, first, arrived: last.arrived });
    }
    offset(place);
    insertBlocks(this.#insert, appended);
    return { appended, idsAdded: arrivals.length === 0 ? 0 : this.#ids.add(arrivals) };
  }

  /** Those beyond `after`, up to and with `upTo`, which is there, as many as the limits allow. */
  read(after: Offset, upTo: Offset, limits: ReadLimits): LogRead {
    const from = Math.max(after, this.#trimmed) as Offset;
    if (upTo <= from) return { entries: [], upTo: offset(Math.max(after, upTo)), lost: 0 };
    return this.#reader.read(from, upTo, limits);
  }

  /** The last entry that arrived at a time or before, among those up to and with `upTo`, which is there; `trimmed` where none did. */
  arrivedBy(time: Millis, upTo: Offset): Offset {
    return this.#reader.arrivedBy(time, this.#trimmed, upTo);
  }

  /**
   * Forgets the entries up to one that is there. A block of which one is left stays as it is, and the mark hides the others; so does what
   * stands on a page that is damaged. Throws where they can be read, and SQLite can't free their pages.
   */
  trim(upTo: Offset): void {
    const hide = (): void => writeMeta(this.#db, 'trimmed', upTo);
    const remove = (): void => {
      const arrived = this.#reader.lastArrivedIn(upTo);
      if (arrived !== undefined) {
        if (arrived >= 0 && arrived <= MOMENT_MAX) writeMeta(this.#db, 'trimmed_arrived', arrived);
        this.#delete.run(this.#trimmed, upTo);
      }
      hide();
    };
    try {
      this.#transactions.runAsIs(remove);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      this.#transactions.run(this.#canRead(upTo) ? remove : hide);
    }
    this.#trimmed = upTo;
  }

  /** How far to trim at once on the way to `last`: so many entries, or over a hole or a gap, which costs nothing, however large it is. */
  trimStep(last: Offset, entriesMax: number): Offset {
    const [end, count] = this.#reader.firstBeyond(this.#trimmed) ?? [0, 0];
    const gone = count > ENTRIES_MAX ? end : end - count;
    return offset(Math.min(last, Math.max(this.#trimmed + entriesMax, gone)));
  }

  /** Whether SQLite can read all pages of the blocks up to one. */
  #canRead(upTo: Offset): boolean {
    try {
      this.#readAll.get(this.#trimmed, upTo);
      return true;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return false;
    }
  }
}

/** What speaks against the mark up to which entries are gone, if anything does. */
export function trimmedFault(trimmed: number, lastThere: Block | undefined): string | undefined {
  if (lastThere === undefined || lastThere.last > trimmed) return undefined;
  return `trimmed is ${trimmed}, but entries up to ${lastThere.last} are still there; it must be less`;
}

/** Writes dense entries in as few blocks as they fit in, within the caller's transaction. */
function insertBlocks(insert: StatementSync, entries: readonly Entry[]): void {
  for (let from = 0; from < entries.length;) {
    const block = writeBlock(entries, from);
    insertBlock(insert, block);
    from += block.count;
  }
}

function insertBlock(insert: StatementSync, { last, count, arrived, text, checksum }: Block): void {
  insert.run(last, count, arrived, text, checksum);
}
