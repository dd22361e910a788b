import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import { LogOpenError } from '../log.ts';
import type { Connection } from './connection.ts';

/** What a block occupies beside its text, and an id in all, with their indexes: an estimate. */
export const BLOCK_BYTES = 110;

/** Where the log stands, as far as it is durable. */
export interface Standing {
  readonly trimmed: Offset;
  readonly end: Offset;
  readonly lastArrived: Millis;
  readonly bytes: number;
  readonly ids: number;
  readonly hadScrapers: boolean;
  /** Of the next id. */
  readonly nextPlace: number;
  /** The latest arrival of an id. None comes before it, so that the order of the places is that of the arrivals. */
  readonly refreshedAt: Millis;
}

/** Reads where the log stands. Throws a LogOpenError where that can't be. */
export async function readStanding(connection: Connection, schema: string): Promise<Standing> {
  const [row = []] = await connection.query({
    text: `SELECT l.trimmed, l.trimmed_arrived, l.had_scrapers,
        (SELECT last FROM ${schema}.blocks ORDER BY last DESC LIMIT 1),
        (SELECT arrived FROM ${schema}.blocks ORDER BY last DESC LIMIT 1),
        (SELECT coalesce(sum(octet_length(text) + ${BLOCK_BYTES}), 0) FROM ${schema}.blocks),
        (SELECT count(*) FROM ${schema}.ids WHERE place IS NOT NULL),
        (SELECT place FROM ${schema}.ids WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1),
        (SELECT arrived FROM ${schema}.ids WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1)
      FROM ${schema}.log AS l`,
    values: [],
  });
  const [trimmed, trimmedArrived, hadScrapers, last, arrived, bytes, ids, place, idArrived] = row;
  const read = (name: string, value: unknown, max: number): number => {
    const number = Number(value ?? 0);
    if (Number.isSafeInteger(number) && number >= 0 && number <= max) return number;
    throw new LogOpenError(
      `can't open the log in PostgreSQL: ${name} is ${number}; it must be a whole number from 0 to ${max}; restore the schema ${schema} from a backup`,
    );
  };
  const trimmedTo = read('trimmed', trimmed, COUNTED_MAX);
  return {
    trimmed: offset(trimmedTo),
    end: offset(Math.max(trimmedTo, read('the end', last, COUNTED_MAX))),
    lastArrived: millis(read('the last arrival', arrived ?? trimmedArrived, MOMENT_MAX)),
    bytes: Number(bytes),
    ids: Number(ids),
    hadScrapers: hadScrapers === true,
    nextPlace: read('the last place', place, COUNTED_MAX) + 1,
    refreshedAt: millis(read("an id's arrival", idArrived, MOMENT_MAX)),
  };
}
