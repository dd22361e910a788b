import type { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import type { SeriesText } from '../../core/series.ts';
import { writeBlock } from './block.ts';
import { readMeta } from './meta.ts';
import { damagedError } from './sqliteError.ts';

/** A row of `entries`, the table of the first three versions. */
type Row = readonly [
  offset: Offset,
  kind: number,
  time: Millis,
  arrived: Millis,
  value: number | null,
  series: SeriesText,
];

/** An end's `kind`; an event's is 0. */
const END = 1;
/** Rows that are in memory at once; they make up a block, or a few. */
const ROWS = 1000;

/** Copies the rows of the table `entries` into blocks, within the caller's transaction. Throws a LogOpenError where one is missing. */
export function moveToBlocks(db: DatabaseSync): void {
  // The blocks of that version have no checksum.
  const insert = db.prepare('INSERT INTO blocks (last, count, arrived, text) VALUES (?, ?, ?, ?)');
  const select = db.prepare(
    'SELECT offset, kind, time, arrived, value, series FROM entries WHERE offset > ? ORDER BY offset LIMIT ?',
  );
  select.setReturnArrays(true);
  for (let after: number = readMeta(db, 'trimmed'); ;) {
    const entries = (select.all(after, ROWS) as unknown as Row[]).map(toEntry);
    const last = entries.at(-1);
    if (last === undefined) return;
    if (last.offset - after !== entries.length)
      throw damagedError(db, 'the table entries (a row is missing)');
    for (let from = 0; from < entries.length;) {
      const block = writeBlock(entries, from);
      insert.run(block.last, block.count, block.arrived, block.text);
      from += block.count;
    }
    after = last.offset;
  }
}

function toEntry([offset, kind, time, arrived, value, series]: Row): Entry {
  return { offset, kind: kind === END ? 'end' : 'event', series, value: value ?? Number.NaN, time, arrived };
}
