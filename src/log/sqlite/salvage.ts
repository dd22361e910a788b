import type { DatabaseSync } from 'node:sqlite';
import { copyByKey } from './copyByKey.ts';
import { attempt } from './integrity.ts';
import { salvageIds } from './salvageIds.ts';

/**
 * Copies what can be read of a table into an empty one of the same columns, while no transaction is open. Returns how many rows are missing, as
 * far as that can be told. `marked`: the offset up to which the log is known to have been durable.
 */
type Salvage = (db: DatabaseSync, from: string, to: string, marked: number) => number;

/** A note under this key says that others were lost. */
export const NOTES_LOST = 'notes_lost';

/** What can be saved of each table that can be made anew. */
export const SALVAGE: Readonly<Record<'ids' | 'notes' | 'scrapers' | 'meta', Salvage>> = {
  ids: salvageIds,

  notes: (db, from, to) => {
    const isWhole = copyRows(db, from, to, ['key', 'text']);
    if (!isWhole) db.prepare(`INSERT OR IGNORE INTO ${to} VALUES (?, '')`).run(NOTES_LOST);
    return isWhole ? 0 : 1;
  },

  // All or nothing: a scraper whose record is lost would get everything twice, or lose it, and nobody would know.
  scrapers: (db, from, to) => {
    // Its columns are named: a copy of * takes the pages of the index, too.
    db.exec(`INSERT INTO ${to} (id, version, record) SELECT id, version, record FROM ${from} NOT INDEXED`);
    return 0;
  },

  meta: (db, from, to, marked) => {
    copyRows(db, from, to, ['key', 'value']);
    const add = db.prepare(`INSERT OR IGNORE INTO ${to} VALUES (?, ?)`);
    // What stands before the first block was trimmed, and perhaps a part of it, too: who was there has had that, or its position says so.
    const first = attempt(() =>
      db.prepare('SELECT last - count AS before FROM blocks ORDER BY last LIMIT 1').get(),
    );
    const isEmpty = first.isRead && first.value === undefined;
    add.run('trimmed', isEmpty ? marked : first.isRead ? Number(first.value?.['before']) : 0);
    add.run('trimmed_arrived', 0);
    add.run('had_scrapers', 1);
    return 0;
  },
};

/** Copies a small table. Tells whether SQLite could read all of it. */
function copyRows(db: DatabaseSync, from: string, to: string, columns: readonly string[]): boolean {
  const where = columns.map((name) => `${name} IS NOT NULL`).join(' AND ');
  return copyByKey(db, { from, to, key: 'rowid', columns, where });
}
