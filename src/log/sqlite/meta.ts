import type { DatabaseSync } from 'node:sqlite';
import { damagedError } from './sqliteError.ts';

/** The rows of the table `meta`; `schema.ts` says what each is for. */
type MetaKey = 'trimmed' | 'trimmed_arrived' | 'had_scrapers';

/** Throws a LogOpenError where the row is missing: it is written with the schema. */
export function readMeta(db: DatabaseSync, key: MetaKey): number {
  const row = db.prepare('SELECT value FROM meta WHERE key = ?').get(key);
  if (row !== undefined) return row['value'] as number;
  throw damagedError(db, `the table meta (${key} is missing)`);
}

/** Changes a row, within the caller's transaction. */
export function writeMeta(db: DatabaseSync, key: MetaKey, value: number): void {
  db.prepare('UPDATE meta SET value = ? WHERE key = ?').run(value, key);
}
