import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Millis } from '../../core/millis.ts';
import type { Transactions } from './transactions.ts';

/** Of SHA-256; 128 bits of it leave no chance of two ids with one hash, by accident or by design. */
const HASH_BYTES = 16;
/** What an id occupies in the file with its index; measured with a million of them. */
export const ID_BYTES = 60;

/** What was forgotten at once. */
export interface Forgotten {
  readonly ids: number;
  /** Those of them that had not arrived before the moment that was asked for. */
  readonly early: number;
}

/**
 * The ids in the file, numbered from the oldest on without gaps. Each stands there as a hash: a long id costs no more than a short
 * one.
 */
export class IdTable {
  readonly #transactions: Transactions;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #old: StatementSync;
  readonly #delete: StatementSync;
  #first: number;
  #next: number;

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#transactions = transactions;
    this.#insert = db.prepare(
      'INSERT INTO ids (place, arrived, hash) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    );
    this.#find = db.prepare('SELECT 1 FROM ids WHERE hash = ?');
    this.#old = db.prepare(
      'SELECT count(*) AS old FROM (SELECT arrived FROM ids ORDER BY place LIMIT ?) WHERE arrived < ?',
    );
    this.#delete = db.prepare('DELETE FROM ids WHERE place < ?');
    const { last } = db.prepare('SELECT max(place) AS last FROM ids').get() as { last: number | null };
    const { first } = db.prepare('SELECT min(place) AS first FROM ids').get() as { first: number | null };
    this.#next = (last ?? 0) + 1;
    this.#first = first ?? this.#next;
  }

  get count(): number {
    return this.#next - this.#first;
  }

  isKnown(id: string): boolean {
    return this.#find.get(hashOf(id)) !== undefined;
  }

  /** Adds ids within the caller's transaction, whose commit the caller tells by `added`. Returns how many were not known. */
  add(ids: readonly string[], arrived: Millis, alreadyAdded: number): number {
    let added = 0;
    for (const id of ids) {
      const { changes } = this.#insert.run(this.#next + alreadyAdded + added, arrived, hashOf(id));
      added += Number(changes);
    }
    return added;
  }

  /** Hears that the transaction is committed in which so many ids were added. */
  added(count: number): void {
    this.#next += count;
  }

  /** Forgets up to `rowsMax` ids: what arrived before a moment, then the oldest beyond `idsMax`. */
  forget(arrivedBefore: Millis, idsMax: number, rowsMax: number): Forgotten {
    const { old } = this.#old.get(rowsMax, arrivedBefore) as { old: number };
    const ids = Math.max(old, Math.min(this.count - idsMax, rowsMax));
    if (ids === 0) return { ids: 0, early: 0 };
    const first = this.#first + ids;
    this.#transactions.run(() => this.#delete.run(first));
    this.#first = first;
    return { ids, early: ids - old };
  }
}

function hashOf(id: string): Uint8Array {
  return hash('sha256', id, 'buffer').subarray(0, HASH_BYTES);
}
