import type { DatabaseSync } from 'node:sqlite';
import { copyByKey } from './copyByKey.ts';
import { HASH_BYTES } from './idTable.ts';
import { attempt } from './integrity.ts';
import { IDS_INDEX } from './schema.ts';

const COLUMNS = ['place', 'arrived', 'hash', 'entry', 'count'];
/** With the plus SQLite doesn't begin there, where it may meet damage again and again, but where a copy goes on. */
const WHERE = `+place > 0 AND length(hash) = ${HASH_BYTES}`;

/** The table and its index each have all that is known of an id. So what is lost of one is taken from the other. As `Salvage`. */
export function salvageIds(db: DatabaseSync, from: string, to: string): number {
  const expected = attempt(() => count(db, from));
  const copied = { from, to, key: 'place', columns: COLUMNS, where: WHERE };
  const isTableWhole = copyByKey(db, copied);
  const isIndexWhole = copyByKey(db, { ...copied, index: IDS_INDEX });
  // Where both can be read, and don't agree, what the index has may be what was written.
  if (isTableWhole && isIndexWhole) return countMissing(db, from, to);
  if (isTableWhole || isIndexWhole) return 0;
  // Where neither can be counted, some are.
  return expected.isRead ? Math.max(0, expected.value - count(db, to)) : 1;
}

/**
 * The same for a table of schema 5 or 6, whose index has nothing but hashes, in another order. An id that is taken from it counts as arrived with
 * the next one, or the latest that is known, which keeps it known for a little longer. Which entries it stands for is then not known any more.
 */
export function salvageOldIds(db: DatabaseSync, to: string, columns: readonly string[]): number {
  const expected = attempt(() => count(db, 'ids'));
  copyByKey(db, { from: 'ids', to, key: 'place', columns, where: WHERE });
  const copyHashes = db.prepare(
    `INSERT OR IGNORE INTO ${to} (place, arrived, hash) SELECT old.place, coalesce(
      (SELECT arrived FROM ${to} AS next WHERE next.place > old.place ORDER BY next.place LIMIT 1),
      max(coalesce((SELECT max(arrived) FROM ${to}), 0), coalesce((SELECT max(arrived) FROM blocks), 0))
    ), old.hash FROM ids AS old INDEXED BY ${IDS_INDEX} WHERE old.place > 0 AND length(old.hash) = ${HASH_BYTES}`,
  );
  if (attempt(() => copyHashes.run()).isRead) return 0;
  return expected.isRead ? Math.max(0, expected.value - count(db, to)) : 1;
}

function count(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
}

/** How many ids there are in the index that were not copied; 0 where it can't be read. */
function countMissing(db: DatabaseSync, from: string, to: string): number {
  const missing = db.prepare(
    `SELECT count(*) AS rows FROM ${from} AS old INDEXED BY ${IDS_INDEX}
      WHERE NOT EXISTS (SELECT 1 FROM ${to} AS new NOT INDEXED WHERE new.place = old.place AND new.hash = old.hash)`,
  );
  const rows = attempt(() => missing.get()?.['rows']);
  return rows.isRead ? Number(rows.value) : 0;
}
