import type { DatabaseSync } from 'node:sqlite';
import { salvageOldIds } from './salvageIds.ts';
import { idsTable } from './schema.ts';
import { setAside } from './setAside.ts';
import { isCorrupt } from './sqliteError.ts';

/** The schema that this leads to. */
const NEXT = 7;
const FRESH = 'fresh_ids';

/**
 * Brings a file of schema 5 or 6 up to date: ids get an index of another kind, and may say which entries they stand for, which those of schema 5
 * don't. A table that is damaged is made anew of what can be read of it, and `idsLost` hears how many ids were lost. Throws what SQLite throws
 * where neither can be done.
 */
export function migrate(db: DatabaseSync, version: number, idsLost: (lost: number) => void): void {
  const columns = ['place', 'arrived', 'hash', ...(version < 6 ? [] : ['entry', 'count'])];
  // Of a process that was killed.
  db.exec(`DROP TABLE IF EXISTS ${FRESH}; ${idsTable(FRESH)}`);
  try {
    together(db, () =>
      db.exec(
        `INSERT INTO ${FRESH} (${columns.join()}) SELECT ${columns.join()} FROM ids NOT INDEXED ORDER BY place;
        DROP TABLE ids;
        ALTER TABLE ${FRESH} RENAME TO ids`,
      ),
    );
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    // Not in a transaction: after damage in it SQLite would write nothing more.
    const lost = salvageOldIds(db, FRESH, columns);
    together(db, () => {
      setAside(db, 'ids');
      db.exec(`ALTER TABLE ${FRESH} RENAME TO ids`);
    });
    idsLost(lost);
  }
}

function together(db: DatabaseSync, change: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    change();
    db.exec(`PRAGMA user_version = ${NEXT}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
