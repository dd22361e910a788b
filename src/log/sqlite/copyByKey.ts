import type { DatabaseSync } from 'node:sqlite';
import { OutOfOrderError, attempt } from './integrity.ts';

/** Rows that are copied by one statement, where all can be read. */
const ROWS_AT_ONCE = 250_000;

/** What is copied: columns of a table, whose key is an integer and the row's place in it, into the same columns of another. */
export interface Copied {
  readonly from: string;
  readonly to: string;
  readonly key: string;
  readonly columns: readonly string[];
  /** An index that has all of these columns, the key first, and is read in place of the table. */
  readonly index?: string;
  /** What a row must be like to be copied, in SQL. */
  readonly where: string;
}

/**
 * Copies the rows of a table of which pages may be damaged, in the order of the key. Tells whether SQLite could
 * read all of it. What can't be read is passed over in steps that double, then halve. A row that is there already stays as it is. No
 * transaction may be open: after damage in it SQLite would write nothing more.
 */
export function copyByKey(db: DatabaseSync, { from, to, key, columns, index, where }: Copied): boolean {
  const names = columns.join(', ');
  const source = `${from} ${index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`}`;
  const insert = `INSERT OR IGNORE INTO ${to} (${names}) SELECT ${names} FROM ${source} WHERE (${where})`;
  const range = db.prepare(`${insert} AND ${key} > ? AND ${key} <= ?`);
  const one = db.prepare(`${insert} AND ${key} = ?`);
  const farther = db.prepare(
    `SELECT ${key} AS k FROM ${source} WHERE ${key} > ? ORDER BY ${key} LIMIT 1 OFFSET ?`,
  );
  const keyBeyond = (at: number, offset: number): number | undefined => {
    const found = farther.get(at, offset)?.['k'] as number | undefined;
    // On a page that is damaged the keys may be in no order, and one that goes back would have this go round for ever.
    if (found !== undefined && found <= at) throw new OutOfOrderError();
    return found;
  };
  const copy = (at: number, upTo: number | undefined, rows: number): void => {
    // To look for what is beyond the last row of a page SQLite would read the next page.
    if (rows === 1) one.run(upTo ?? at);
    else range.run(at, upTo ?? Number.MAX_SAFE_INTEGER);
  };
  const canRead = (at: number): boolean => attempt(() => keyBeyond(at, 0)).isRead;
  let isWhole = true;
  for (let at = Number.MIN_SAFE_INTEGER, rows = ROWS_AT_ONCE; ;) {
    const upTo = attempt(() => keyBeyond(at, rows - 1));
    const isCopied = upTo.isRead && attempt(() => copy(at, upTo.value, rows)).isRead;
    if (isCopied) {
      // Fewer rows than that were left, and all of them are copied.
      if (upTo.value === undefined) return isWhole;
      at = upTo.value;
      rows = Math.min(rows * 2, ROWS_AT_ONCE);
    } else if (rows > 1) {
      rows = Math.floor(rows / 2);
    } else {
      isWhole = false;
      const next = upTo.isRead ? upTo.value : beyondDamage(at, canRead);
      if (next === undefined) return false;
      at = next;
    }
  }
}

/** The first place behind one, as far as the steps tell, from which on rows can be read again. */
function beyondDamage(at: number, canRead: (at: number) => boolean): number | undefined {
  // The smallest keys are small numbers, whatever the first place was.
  let low = Math.max(at, 0);
  if (low > at && canRead(low)) return low;
  let step = 1;
  while (!canRead(low + step)) {
    low += step;
    step *= 2;
    if (low + step > Number.MAX_SAFE_INTEGER) return undefined;
  }
  let high = low + step;
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (canRead(middle)) high = middle;
    else low = middle;
  }
  return high;
}
