import type { DatabaseSync } from 'node:sqlite';
import { copyByKey } from './copyByKey.ts';
import { attempt } from './integrity.ts';
import { HASH_BYTES } from './idTable.ts';
import { isCorrupt } from './sqliteError.ts';

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

/**
 * The table and its index each have all hashes. So what is lost of one is taken from the other, but for the times: an id counts as arrived with the
 * next one, which keeps it known for a little longer. Which entries it stands for is then not known any more.
 */
function salvageIds(db: DatabaseSync, from: string, to: string): number {
  const expected = attempt(() => count(db, from));
  const isWhole = copyByKey(db, {
    from,
    to,
    key: 'place',
    columns: ['place', 'arrived', 'hash', ...(hasPlaces(db, from) ? ['entry', 'count'] : [])],
    where: `length(hash) = ${HASH_BYTES}`,
  });
  if (isWhole) {
    const missing = countMissing(db, from, to);
    if (missing === 0) return 0;
    // Both can be read, and don't agree: what one of them has may be what was written.
    copyFromIndex(db, from, to);
    return countMissing(db, from, to);
  }
  if (copyFromIndex(db, from, to)) return 0;
  // Where neither can be counted, some are.
  return expected.isRead ? Math.max(0, expected.value - count(db, to)) : 1;
}

/** Whether the ids of a table have places: an older version wrote none. */
function hasPlaces(db: DatabaseSync, table: string): boolean {
  try {
    db.prepare(`SELECT entry, count FROM ${table} LIMIT 0`);
    return true;
  } catch (error) {
    if (isCorrupt(error)) throw error;
    return false;
  }
}

/** Copies from the index what is not there yet, in parts, by the first byte of the hashes, and by the first two where that can't be read. */
function copyFromIndex(db: DatabaseSync, from: string, to: string): boolean {
  const latest = attempt(() =>
    db.prepare('SELECT max(arrived) AS at FROM blocks WHERE last = (SELECT max(last) FROM blocks)').get(),
  );
  const newest = latest.isRead ? Number(latest.value?.['at'] ?? 0) : 0;
  const copy = db.prepare(
    `INSERT OR IGNORE INTO ${to} (place, arrived, hash) SELECT old.rowid, coalesce(
      (SELECT arrived FROM ${to} AS next WHERE next.place > old.rowid ORDER BY next.place LIMIT 1),
      max(?, coalesce((SELECT max(arrived) FROM (SELECT arrived FROM ${to} ORDER BY place DESC LIMIT 1)), 0))
    ), old.hash FROM ${from} AS old WHERE old.hash >= ? AND old.hash < ? AND length(old.hash) = ${HASH_BYTES} AND old.rowid > 0`,
  );
  const copied = (first: readonly number[], beyond: readonly number[]): boolean =>
    attempt(() => copy.run(newest, Uint8Array.from(first), Uint8Array.from(beyond))).isRead;
  let isWhole = true;
  for (let byte = 0; byte < 256; byte += 1) {
    // What is beyond the last of them has no prefix: 17 bytes are more than any hash.
    const end = byte === 255 ? Array.from({ length: HASH_BYTES + 1 }, () => 255) : [byte + 1];
    if (copied([byte], end)) continue;
    isWhole = false;
    for (let second = 0; second < 256; second += 1)
      copied([byte, second], second === 255 ? end : [byte, second + 1]);
  }
  return isWhole;
}

function count(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
}

/** How many hashes there are in the index that were not copied; 0 where it can't be read. */
function countMissing(db: DatabaseSync, from: string, to: string): number {
  const missing = attempt(() =>
    db
      .prepare(
        `SELECT count(*) AS rows FROM ${from} AS old WHERE NOT EXISTS (SELECT 1 FROM ${to} AS new WHERE new.hash = old.hash)`,
      )
      .get(),
  );
  return missing.isRead ? Number(missing.value?.['rows']) : 0;
}
