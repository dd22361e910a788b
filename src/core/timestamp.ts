import { RefusedError, shown } from './errors.ts';
import type { Millis } from './millis.ts';
import { millis } from './millis.ts';

/**
 * https://www.rfc-editor.org/rfc/rfc3339#section-5.6; a blank for the T, and lower case, are allowed there. An offset without its colon, or
 * without its minutes, is ISO 8601's: Java and Bitbucket write `+0000`, PostgreSQL `+00`.
 */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:[Zz]|([+-]\d\d)(?::?(\d\d))?)$/;
/** What a URL or a form makes of the + before an offset. */
const LOST_PLUS = /T[\d:.]+ \d\d:?(?:\d\d)?$/i;
/** Large numbers come with an exponent from some encoders: `1.796009617E9`. */
const NUMBER = /^\d{1,15}(?:\.\d{1,30})?(?:[eE]\+?\d{1,2})?$/;
/** As seconds the year 5138, as milliseconds March 1973: no clock that works says either. */
const SECONDS_BELOW = 1e11;
/** No moment is beyond: the largest number of 15 digits. */
const NUMBER_BELOW = 1e15;

/**
 * Reads a moment: RFC 3339 with a zone (`2026-11-24T12:00:00Z`), or Unix time in seconds (decimals allowed) or in milliseconds, told
 * apart by size. What is finer than a millisecond is cut off. Throws a RefusedError.
 */
export function parseTimestamp(field: string, text: string): Millis {
  const number = unixNumber(text);
  if (number !== undefined)
    return millis(number < SECONDS_BELOW ? millisOfSeconds(number) : Math.floor(number));
  const parsed = parseRfc3339(text);
  if (!Number.isNaN(parsed)) return millis(parsed);
  const plus = LOST_PLUS.test(text) ? '; in a URL or a form, write + as %2B' : '';
  throw new RefusedError(
    field,
    `${field} ${shown(text)} is not a time; use RFC 3339 with a zone, such as 2026-11-24T12:00:00Z, or Unix seconds or milliseconds${plus}`,
  );
}

/** A number that may be a Unix time, whatever its unit; undefined for anything else. */
export function unixNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const number = Number(text);
  return number < NUMBER_BELOW ? number : undefined;
}

/** A product may come out a hair below a whole number, 1.001 * 1000 as 1000.9999999999999, which is no reason to cut off a millisecond. */
export function millisOfSeconds(seconds: number): number {
  const exact = seconds * 1000;
  const whole = Math.floor(exact);
  return exact - whole < 0.9995 ? whole : whole + 1;
}

/** NaN for anything else. */
function parseRfc3339(text: string): number {
  const [, date, time, hours, minutes = '00'] = RFC_3339.exec(text) ?? [];
  if (date === undefined || time === undefined || !isDay(date)) return Number.NaN;
  return Date.parse(`${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
}

/** `Date.parse` takes February 30 for March 2, which nobody sent. */
function isDay(text: string): boolean {
  // Every month has these.
  if (text.slice(8, 10) <= '28') return true;
  const [year, month, day] = text.split('-').map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
}
