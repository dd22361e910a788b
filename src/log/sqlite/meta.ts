import type { DatabaseSync } from 'node:sqlite';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import { damagedError } from './sqliteError.ts';
import { numberFault } from './storedNumber.ts';

/** The rows of the table `meta`; `schema.ts` says what each is for. */
type MetaKey = 'trimmed' | 'trimmed_arrived' | 'had_scrapers';

/** From where to where each value may lie. */
const BOUNDS: Readonly<Record<MetaKey, readonly [min: number, max: number]>> = {
  trimmed: [0, COUNTED_MAX],
  trimmed_arrived: [0, MOMENT_MAX],
  had_scrapers: [0, 1],
};

const KEYS = Object.keys(BOUNDS) as MetaKey[];

/** Throws a LogOpenError where the row is missing (it is written with the schema), or has a value that was never written. */
export function readMeta(db: DatabaseSync, key: MetaKey): number {
  const value = stored(db, key);
  const why = faultOf(key, value);
  if (why !== undefined) throw damagedError(db, 'the table meta', { why });
  return Number(value);
}

/** What is wrong with the rows. */
export function metaFaults(db: DatabaseSync): readonly string[] {
  return KEYS.map((key) => faultOf(key, stored(db, key))).filter((fault) => fault !== undefined);
}

/** Changes a row, within the caller's transaction. */
export function writeMeta(db: DatabaseSync, key: MetaKey, value: number): void {
  db.prepare('UPDATE meta SET value = ? WHERE key = ?').run(value, key);
}

function stored(db: DatabaseSync, key: MetaKey): unknown {
  const select = db.prepare('SELECT value FROM meta WHERE key = ?');
  select.setReadBigInts(true);
  return select.get(key)?.['value'];
}

function faultOf(key: MetaKey, value: unknown): string | undefined {
  return value === undefined ? `${key} is missing` : numberFault(key, value, ...BOUNDS[key]);
}
