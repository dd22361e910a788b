import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import type { IdPlace, NewId } from '../ids.ts';
import { damagedError } from './sqliteError.ts';
import { numberFault } from './storedNumber.ts';
import type { Transactions } from './transactions.ts';

/** Of SHA-256; 128 bits of it leave no chance of two ids with one hash, by accident or by design. */
export const HASH_BYTES = 16;
/** What an id occupies in the file with its index; measured with a million of them. */
export const ID_BYTES = 65;

/** What was forgotten at once. */
export interface Forgotten {
  readonly ids: number;
  /** Those of them that had not arrived before the moment that was asked for. */
  readonly early: number;
}

/**
 * The ids in the file, numbered from the oldest on. One that is refreshed becomes the newest, and leaves a gap. Each stands there as a
 * hash: a long id costs no more than a short one.
 */
export class IdTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #refresh: StatementSync;
  readonly #old: StatementSync;
  readonly #delete: StatementSync;
  readonly #counted: StatementSync;
  readonly #last: StatementSync;
  #count = 0;
  #next = 1;
  /** The latest arrival that a refresh gave. None comes before it, so that the order of the places is that of the arrivals. */
  #refreshedAt = millis(0);

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#db = db;
    this.#transactions = transactions;
    this.#insert = db.prepare(
      'INSERT INTO ids (place, arrived, hash, entry, count) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    );
    this.#find = db.prepare('SELECT entry, count FROM ids WHERE hash = ?');
    this.#find.setReadBigInts(true);
    this.#refresh = db.prepare('UPDATE ids SET place = ?, arrived = ? WHERE hash = ? AND arrived < ?');
    this.#old = db.prepare(
      'SELECT count(*) AS old FROM (SELECT arrived FROM ids ORDER BY place LIMIT ?) WHERE arrived < ?',
    );
    this.#delete = db.prepare(
      'DELETE FROM ids WHERE place <= (SELECT place FROM ids ORDER BY place LIMIT 1 OFFSET ?)',
    );
    this.#counted = db.prepare('SELECT count(*) AS ids FROM ids');
    this.#last = db.prepare('SELECT place, arrived FROM ids ORDER BY place DESC LIMIT 1');
    this.#last.setReadBigInts(true);
    transactions.mended(() => this.reload());
  }

  /** Reads anew what is kept in memory. Throws a LogOpenError where no id could be put behind the last one. */
  reload(): void {
    const { ids } = this.#counted.get() as { ids: number };
    const { place = 0n, arrived = 0n } = this.#last.get() ?? {};
    const why =
      numberFault('the last place', place, 0, COUNTED_MAX) ??
      numberFault('the last arrived', arrived, 0, MOMENT_MAX);
    if (why !== undefined) throw damagedError(this.#db, 'the table ids', { why });
    this.#count = ids;
    this.#next = Number(place) + 1;
    this.#refreshedAt = millis(Number(arrived));
  }

  get count(): number {
    return this.#count;
  }

  /** Whether an id is known, and its place if that is. */
  find(id: string): { readonly place: IdPlace | undefined } | undefined {
    const idHash = hashOf(id);
    const row = this.#transactions.mended(() => this.#find.get(idHash));
    return row === undefined ? undefined : { place: placeOf(row['entry'], row['count']) };
  }

  /** Adds ids of entries that begin at an offset, within the caller's transaction, whose commit the caller tells by `added`. Returns how many were not known. */
  add(ids: readonly NewId[], first: number, arrived: Millis, alreadyAdded: number): number {
    let added = 0;
    const time = Math.max(arrived, this.#refreshedAt);
    for (const { id, at, count } of ids) {
      const place = this.#next + alreadyAdded + added;
      const { changes } = this.#insert.run(place, time, hashOf(id), first + at, count);
      added += Number(changes);
    }
    return added;
  }

  /** Hears that the transaction is committed in which so many ids were added. */
  added(count: number): void {
    this.#next += count;
    this.#count += count;
  }

  /** Counts those of the ids that arrived before a moment as arrived now. */
  refresh(ids: readonly string[], arrivedBefore: Millis, now: Millis): void {
    let at = now;
    const refreshed = this.#transactions.run(() => {
      let count = 0;
      at = millis(Math.max(now, this.#refreshedAt));
      for (const id of ids) {
        count += Number(this.#refresh.run(this.#next + count, at, hashOf(id), arrivedBefore).changes);
      }
      return count;
    });
    if (refreshed === 0) return;
    this.#next += refreshed;
    this.#refreshedAt = at;
  }

  /** Forgets up to `rowsMax` ids: what arrived before a moment, then the oldest beyond `idsMax`. */
  forget(arrivedBefore: Millis, idsMax: number, rowsMax: number): Forgotten {
    const { old } = this.#transactions.mended(() => this.#old.get(rowsMax, arrivedBefore)) as { old: number };
    const wanted = Math.max(old, Math.min(this.count - idsMax, rowsMax));
    if (wanted === 0) return { ids: 0, early: 0 };
    const ids = Number(this.#transactions.run(() => this.#delete.run(wanted - 1)).changes);
    this.#count -= ids;
    // Not so many are there: on a page that is damaged there may be others than were counted.
    if (ids === 0) this.#transactions.mended(() => this.reload());
    return { ids, early: Math.max(0, ids - old) };
  }
}

/** Undefined where it was not written: by an older version, or after damage. */
function placeOf(entry: unknown, count: unknown): IdPlace | undefined {
  const fault = numberFault('entry', entry, 1, COUNTED_MAX) ?? numberFault('count', count, 1, COUNTED_MAX);
  return fault === undefined ? { first: offset(Number(entry)), count: Number(count) } : undefined;
}

function hashOf(id: string): Uint8Array {
  return hash('sha256', id, 'buffer').subarray(0, HASH_BYTES);
}
