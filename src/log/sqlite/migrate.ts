import type { DatabaseSync } from 'node:sqlite';
import { SALVAGE } from './salvage.ts';
import { idsTable } from './schema.ts';
import { setAside } from './setAside.ts';
import { isCorrupt } from './sqliteError.ts';

/** The schema that this leads to. */
const NEXT = 6;
const FRESH = 'fresh_ids';

/**
 * Brings a file of schema 5 up to date: ids get a place, which those that are there don't have. SQLite checks all rows of the table for that. If
 * it is damaged, it is made anew of what can be read of it, and `idsLost` hears how many ids were lost. Throws what SQLite throws where neither can be done.
 */
export function migrate(db: DatabaseSync, idsLost: (lost: number) => void): void {
  try {
    together(db, () =>
      db.exec('ALTER TABLE ids ADD COLUMN entry INTEGER; ALTER TABLE ids ADD COLUMN count INTEGER'),
    );
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    db.exec(`DROP TABLE IF EXISTS ${FRESH}`);
    db.exec(idsTable(FRESH));
    // Not in a transaction: after damage in it SQLite would write nothing more.
    const lost = SALVAGE.ids(db, 'ids', FRESH, 0);
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
