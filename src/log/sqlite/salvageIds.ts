import type { DatabaseSync } from 'node:sqlite';
import { copyByKey } from './copyByKey.ts';
import { HASH_BYTES, PART_PLACES } from './idTable.ts';
import { attempt } from './integrity.ts';
import { isCorrupt } from './sqliteError.ts';

/**
 * The table and its index each have all hashes. So what is lost of one is taken from the other, but for the times: an id counts as arrived with the
 * next one, which keeps it known for a little longer. Which entries it stands for is then not known any more. As `Salvage`; the first table may
 * also be one of schema 5, of which that was never known.
 */
export function salvageIds(db: DatabaseSync, from: string, to: string): number {
  const isOld = !hasParts(db, from);
  const copyFromIndex = isOld ? copyFromOldIndex : copyFromParts;
  const expected = attempt(() => count(db, from));
  const isWhole = copyByKey(db, {
    from,
    to,
    key: 'place',
    ...(isOld ? OLD : NEW),
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

const HASHED = `length(hash) = ${HASH_BYTES}`;
/** What is copied of a table of schema 5, and what is made of it. */
const OLD = {
  columns: ['place', 'arrived', 'hash'],
  made: { part: `place / ${PART_PLACES}` },
  where: HASHED,
};
const NEW = {
  columns: ['place', 'arrived', 'hash', 'part', 'entry', 'count'],
  where: `${HASHED} AND part = place / ${PART_PLACES}`,
};

/** Whether a table of ids has the columns of today. */
function hasParts(db: DatabaseSync, table: string): boolean {
  try {
    db.prepare(`SELECT part, entry, count FROM ${table} LIMIT 0`);
    return true;
  } catch (error) {
    if (isCorrupt(error)) throw error;
    return false;
  }
}

/** How the ids of an index are copied: an id's arrival is that of the next one, or the latest that is known. */
function copyOf(db: DatabaseSync, from: string, to: string, part: string, where: string) {
  const latest =
    numberOf(db, 'SELECT max(arrived) FROM blocks WHERE last = (SELECT max(last) FROM blocks)') ?? 0;
  const copy = db.prepare(
    `INSERT OR IGNORE INTO ${to} (place, arrived, hash, part) SELECT old.rowid, coalesce(
      (SELECT arrived FROM ${to} AS next WHERE next.place > old.rowid ORDER BY next.place LIMIT 1),
      max(?, coalesce((SELECT max(arrived) FROM (SELECT arrived FROM ${to} ORDER BY place DESC LIMIT 1)), 0))
    ), old.hash, ${part} FROM ${from} AS old WHERE ${where} AND length(old.hash) = ${HASH_BYTES} AND old.rowid > 0`,
  );
  return (...values: readonly (number | readonly number[])[]): boolean => {
    const bound = values.map((value) => (typeof value === 'number' ? value : Uint8Array.from(value)));
    return attempt(() => copy.run(latest, ...bound)).isRead;
  };
}

/** Beyond all hashes: 17 bytes are more than any. */
const END = Array.from({ length: HASH_BYTES + 1 }, () => 255);

/** Copies from the index of schema 5 what is not there yet, by the first byte of the hashes, and by the first two where that can't be read. */
function copyFromOldIndex(db: DatabaseSync, from: string, to: string): boolean {
  const copied = copyOf(db, from, to, `old.rowid / ${PART_PLACES}`, 'old.hash >= ? AND old.hash < ?');
  let isWhole = true;
  for (let byte = 0; byte < 256; byte += 1) {
    const end = byte === 255 ? END : [byte + 1];
    if (copied([byte], end)) continue;
    isWhole = false;
    for (let second = 0; second < 256; second += 1)
      copied([byte, second], second === 255 ? end : [byte, second + 1]);
  }
  return isWhole;
}

/** Copies from the index what is not there yet, part by part, and by the first byte of the hashes where a part can't be read as a whole. */
function copyFromParts(db: DatabaseSync, from: string, to: string): boolean {
  const copied = copyOf(
    db,
    from,
    to,
    'old.part',
    `old.part = ? AND old.hash >= ? AND old.hash < ? AND old.rowid / ${PART_PLACES} = old.part`,
  );
  const [first, last] = partsOf(db, from, to);
  let isWhole = true;
  let retriesLeft = RETRIED_PARTS_MAX;
  for (let part = first; part <= last; part += 1) {
    if (copied(part, [], END)) continue;
    isWhole = false;
    retriesLeft -= 1;
    if (retriesLeft < 0) continue;
    for (let byte = 0; byte < 256; byte += 1) copied(part, [byte], byte === 255 ? END : [byte + 1]);
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
