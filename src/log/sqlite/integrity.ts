import type { DatabaseSync } from 'node:sqlite';
import { isCorrupt } from './sqliteError.ts';

/** On a damaged page, rows are in no order. */
export class OutOfOrderError extends Error {}

/** Reads, where it can be done. Throws what is not about damage. */
export function attempt<T>(
  read: () => T,
): { readonly isRead: true; readonly value: T } | { readonly isRead: false } {
  try {
    return { isRead: true, value: read() };
  } catch (error) {
    if (!isCorrupt(error) && !(error instanceof OutOfOrderError)) throw error;
    return { isRead: false };
  }
}

/** Whether SQLite finds nothing wrong with the database, or with one table and its indexes. */
export function isWell(db: DatabaseSync, table?: string): boolean {
  // One problem is enough.
  const check = attempt(() => db.prepare(`PRAGMA integrity_check(${table ?? 1})`).all());
  return check.isRead && Object.values(check.value[0] ?? {})[0] === 'ok';
}
