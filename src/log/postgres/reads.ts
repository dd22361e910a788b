import type { Millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX } from '../../core/stored.ts';
import type { Block } from '../block.ts';
import { lastArrivedBy, readBlock, toBlock } from '../block.ts';
import type { LogRead, ReadLimits } from '../entryLog.ts';
import type { IdPlace, Ids } from '../ids.ts';
import { LogOpenError } from '../log.ts';
import { recordFault } from '../recordFault.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import { Taken } from '../taken.ts';
import type { Connection, Row } from './connection.ts';
import { hashOf, list } from './group.ts';

/** Blocks that are read at once, and the texts of them, in bytes. */
const BLOCKS_MAX = 1_000;
const TEXT_BYTES_MAX = 4 * 1024 * 1024;
/** Ids that are looked up at once. */
const IDS_MAX = 10_000;

const COLUMNS = 'last, count, arrived, text, checksum';

/** Why entries beyond `after`, up to and with `upTo`, can't be read. Throws where it was only this connection that could not. */
export type Lost = (after: Offset, upTo: Offset, why: string) => Promise<void>;

/** Those beyond `after`, which is not trimmed, up to and with `upTo`, which is there, as many as the limits allow. */
export async function readEntries(
  connection: Connection,
  schema: string,
  { after, upTo, limits }: { readonly after: Offset; readonly upTo: Offset; readonly limits: ReadLimits },
  tellLost: Lost,
): Promise<LogRead> {
  const taken = new Taken(limits);
  const last = Math.min(upTo, after + limits.entriesMax);
  let at: number = after;
  let lost = 0;
  const skip = async (to: number, why: string): Promise<void> => {
    if (to <= at) return;
    await tellLost(at as Offset, to as Offset, why);
    lost += to - at;
    at = to;
  };
  while (at < last && !taken.isFull) {
    const rows = await blocksBeyond(connection, schema, at, last);
    let why = 'missing';
    for (const row of rows) {
      const block = blockOf(row);
      if (block === undefined || block.last <= at) {
        why = 'damaged';
        continue;
      }
      await skip(Math.min(block.last - block.count, last), why);
      why = 'missing';
      if (at >= last) break;
      const before: number = taken.entries.length;
      readBlock(block, at as Offset, last as Offset, taken);
      at += taken.entries.length - before;
      if (taken.isFull) break;
    }
    if (taken.isFull) break;
    // The last of those that were damaged may not be the last of the log.
    const end = Number(rows.at(-1)?.[0] ?? last);
    if (rows.length === 0 || why === 'damaged') await skip(Math.min(Math.max(end, at), last), why);
  }
  return { entries: taken.entries, upTo: offset(at), lost };
}

/** The first of those beyond a place, as many as one answer may hold; the one that has the entry at `last` is the last of them. */
function blocksBeyond(
  connection: Connection,
  schema: string,
  after: number,
  last: number,
): Promise<readonly Row[]> {
  return connection.query({
    text: `SELECT ${COLUMNS} FROM (
        SELECT ${COLUMNS}, sum(octet_length(text)) OVER (ORDER BY last) - octet_length(text) AS before FROM (
          SELECT ${COLUMNS} FROM ${schema}.blocks
          WHERE last > $1::bigint AND last <= coalesce((SELECT min(last) FROM ${schema}.blocks WHERE last >= $2::bigint), $2::bigint)
          ORDER BY last LIMIT ${BLOCKS_MAX}
        ) AS found
      ) AS counted WHERE before < ${TEXT_BYTES_MAX} ORDER BY last`,
    values: [after, last],
  });
}

function blockOf([last, count, arrived, text, checksum]: Row): Block | undefined {
  return toBlock([Number(last), count, Number(arrived), (text as Buffer).toString(), Number(checksum)]);
}

/** The last entry that arrived at a time or before, from `trimmed` to `end`. */
export async function arrivedBy(
  connection: Connection,
  schema: string,
  time: Millis,
  { trimmed, end }: { readonly trimmed: Offset; readonly end: Offset },
): Promise<Offset> {
  const [row] = await connection.query({
    text: `SELECT ${COLUMNS} FROM ${schema}.blocks WHERE arrived > $1::bigint ORDER BY arrived, last LIMIT 1`,
    values: [time],
  });
  const block = row === undefined ? undefined : blockOf(row);
  if (row === undefined) return end;
  const before = Number(row[0]) - Number(row[1]);
  const found = (block === undefined ? undefined : lastArrivedBy(block, time)) ?? before;
  return offset(Math.min(Math.max(found, trimmed), end));
}

type Found = Awaited<ReturnType<Ids['knownIds']>>;

/** Those of the ids that are remembered, with their places. */
export async function findIds(
  connection: Connection,
  schema: string,
  ids: readonly string[],
): Promise<Found> {
  const places = new Map<string, IdPlace | undefined>();
  for (let from = 0; from < ids.length; from += IDS_MAX) {
    const hashes = ids.slice(from, from + IDS_MAX).map(hashOf);
    const rows = await connection.query({
      text: `SELECT replace(hash::text, '-', ''), entry, count FROM ${schema}.ids WHERE hash = ANY ($1::uuid[])`,
      values: [list(hashes)],
    });
    for (const [hash, entry, count] of rows)
      // Of an event in the inbox the place is not known yet.
      places.set(
        hash as string,
        entry === null ? undefined : { first: offset(Number(entry)), count: Number(count) },
      );
  }
  // In the order in which they were asked for.
  const known = new Map<string, IdPlace | undefined>();
  for (const id of places.size === 0 ? [] : ids) {
    const hash = hashOf(id);
    if (places.has(hash)) known.set(id, places.get(hash));
  }
  return known;
}

/** How many of the oldest ids, of so many, arrived before a moment. */
export async function countOld(
  connection: Connection,
  schema: string,
  most: number,
  arrivedBefore: Millis,
): Promise<number> {
  const [[old = 0] = []] = await connection.query({
    text: `SELECT count(*) FROM (SELECT arrived FROM ${schema}.ids WHERE place IS NOT NULL ORDER BY place LIMIT $1::bigint) AS oldest WHERE arrived < $2::bigint`,
    values: [most, arrivedBefore],
  });
  return Number(old);
}

/** Throws a LogOpenError where a record is damaged: a scraper that is left out would lose what it has yet to get. */
export async function readScrapers(
  connection: Connection,
  schema: string,
): Promise<readonly ScraperRecord[]> {
  const rows = await connection.query({
    text: `SELECT id, version, record FROM ${schema}.scrapers`,
    values: [],
  });
  return rows.map(([id, version, record]) => {
    const name = (id as Buffer).toString();
    const fail = (why: string, cause?: unknown): LogOpenError =>
      new LogOpenError(
        `can't open the log in PostgreSQL: the record of scraper ${JSON.stringify(name)} is damaged (${why}); restore the schema ${schema} from a backup`,
        { cause },
      );
    let parsed: unknown;
    try {
      parsed = JSON.parse((record as Buffer).toString());
    } catch (cause) {
      throw fail('it is not JSON', cause);
    }
    const why = recordFault(parsed);
    if (why !== undefined) throw fail(why);
    const read = parsed as ScraperRecord;
    if (read.id !== name || read.version !== Number(version) || read.version > COUNTED_MAX)
      throw fail('its id or its version is not that of its row');
    return read;
  });
}

export async function readNote(
  connection: Connection,
  schema: string,
  key: string,
): Promise<string | undefined> {
  const [row] = await connection.query({
    text: `SELECT text FROM ${schema}.notes WHERE key = $1::bytea`,
    values: [Buffer.from(key)],
  });
  return row === undefined ? undefined : (row[0] as Buffer).toString();
}
