import type { DatabaseSync } from 'node:sqlite';
import { copyByKey } from './copyByKey.ts';
import { attempt } from './integrity.ts';
import { HASH_BYTES, PART_PLACES } from './idTable.ts';

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
 * next one, which keeps it known for a little longer.
 */
function salvageIds(db: DatabaseSync, from: string, to: string): number {
  const expected = attempt(() => count(db, from));
  const isWhole = copyByKey(db, {
    from,
    to,
    key: 'place',
    columns: ['place', 'arrived', 'hash', 'part'],
    where: `length(hash) = ${HASH_BYTES} AND part = place / ${PART_PLACES}`,
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

/** Copies from the index what is not there yet, part by part, and by the first byte of the hashes where a part can't be read as a whole. */
function copyFromIndex(db: DatabaseSync, from: string, to: string): boolean {
  const latest = numberOf(db, 'SELECT max(arrived) FROM blocks WHERE last = (SELECT max(last) FROM blocks)');
  const copy = db.prepare(
    `INSERT OR IGNORE INTO ${to} (place, arrived, hash, part) SELECT old.rowid, coalesce(
      (SELECT arrived FROM ${to} AS next WHERE next.place > old.rowid ORDER BY next.place LIMIT 1),
      max(?, coalesce((SELECT max(arrived) FROM (SELECT arrived FROM ${to} ORDER BY place DESC LIMIT 1)), 0))
    ), old.hash, old.part FROM ${from} AS old WHERE old.part = ? AND old.hash >= ? AND old.hash < ?
      AND length(old.hash) = ${HASH_BYTES} AND old.rowid > 0 AND old.rowid / ${PART_PLACES} = old.part`,
  );
  const copied = (part: number, first: readonly number[], beyond: readonly number[]): boolean =>
    attempt(() => copy.run(latest ?? 0, part, Uint8Array.from(first), Uint8Array.from(beyond))).isRead;
  // What is beyond the last of them has no prefix: 17 bytes are more than any hash.
  const end = Array.from({ length: HASH_BYTES + 1 }, () => 255);
  const [first, last] = partsOf(db, from, to);
  let isWhole = true;
  let retriesLeft = RETRIED_PARTS_MAX;
  for (let part = first; part <= last; part += 1) {
    if (copied(part, [], end)) continue;
    isWhole = false;
    retriesLeft -= 1;
    if (retriesLeft < 0) continue;
    for (let byte = 0; byte < 256; byte += 1) copied(part, [byte], byte === 255 ? end : [byte + 1]);
  }
  return isWhole;
}

/** The parts of as many ids as there may be: what a damaged page tells of its ends may be any number. */
const PARTS_MAX = 2 ** 18;
/** So many parts are read in pieces at most. */
const RETRIED_PARTS_MAX = 1_000;

/** The first and the last part that there may be, as far as the ends of the table and its index can be read. */
function partsOf(db: DatabaseSync, from: string, to: string): readonly [first: number, last: number] {
  const known = (end: 'min' | 'max') =>
    [
      numberOf(db, `SELECT ${end}(part) FROM ${from}`),
      numberOf(db, `SELECT ${end}(place) / ${PART_PLACES} FROM ${from} NOT INDEXED`),
      numberOf(db, `SELECT ${end}(place) / ${PART_PLACES} FROM ${to} NOT INDEXED`),
    ].filter((part) => part !== undefined && part >= 0) as number[];
  // A damaged end may hide the one behind it.
  const last = Math.max(0, ...known('max')) + 1;
  return [Math.max(0, last - PARTS_MAX), last];
}

/** A number, if there is one and it can be read. */
function numberOf(db: DatabaseSync, sql: string): number | undefined {
  const row = attempt(() => db.prepare(sql).get());
  const value = row.isRead ? Object.values(row.value ?? {})[0] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function count(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
}

/** How many ids there are in the index that were not copied; 0 where it can't be read. */
function countMissing(db: DatabaseSync, from: string, to: string): number {
  const missing = attempt(() =>
    db
      .prepare(
        `SELECT count(*) AS rows FROM ${from} AS old WHERE NOT EXISTS (SELECT 1 FROM ${to} AS new WHERE new.place = old.rowid AND new.hash = old.hash)`,
      )
      .get(),
  );
  return missing.isRead ? Number(missing.value?.['rows']) : 0;
}
