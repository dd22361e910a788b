import { RefusedError, shown } from '../../core/errors.ts';
import { millisOfSeconds, parseTimestamp, unixNumber } from '../../core/timestamp.ts';
import type { TimeRule } from './compile.ts';
import { allHold } from './condition.ts';
import type { TimeUnit } from './language.ts';
import type { Material } from './reference.ts';
import { isPlaceholder, isStructure, noText, textIfAny, valueOf } from './reference.ts';

/** How Go writes the time that is none: https://pkg.go.dev/time#Time.IsZero */
const GO_ZERO = '0001-01-01T00:00:00Z';
/**
 * A date and a time, with or without a zone, as senders write them: `2016-08-12 15:23:28 UTC` and `2021-04-28 21:50:00 +0200` (GitLab),
 * `2026-11-30T03:33:35+0000` (Java), `2026-11-30 03:33:35,123` (Python), `2026-11-30 03:33:35 +0100 CET` (Go).
 */
const DATE_TIME =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?(?: ?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?: [A-Z]{2,5})?)?$/;

/** The last millisecond of the year 9999, the last that RFC 3339 can write. */
const MILLIS_MAX = 253_402_300_799_999;

/** A time, or why there is none though something stands where one should be; neither where nothing does. */
export interface FoundTime {
  /** RFC 3339. */
  readonly time?: string;
  readonly unreadable?: RefusedError;
}

/** The time of the first rule that has one. 0, and Go's zero, are none: senders write them for "now". */
export function timeOf(rules: readonly TimeRule[], material: Material): FoundTime {
  let unreadable: RefusedError | undefined;
  for (const rule of rules) {
    if (!allHold(rule.when, material)) continue;
    const text = textIfAny(rule.from, material);
    if (text === undefined) {
      const value = valueOf(rule.from, material);
      if (isStructure(value) || isPlaceholder(value)) unreadable ??= noText(rule.from, value);
    } else if (text !== '0' && text !== GO_ZERO) {
      const at = millisOf(text.trim(), rule);
      if (at !== undefined) return { time: new Date(at).toISOString() };
      unreadable ??= noTime(text, rule);
    }
  }
  return unreadable === undefined ? {} : { unreadable };
}

function millisOf(text: string, { unit, zone }: TimeRule): number | undefined {
  const number = unixNumber(text);
  const at =
    number === undefined ? (isOfNumbers(unit) ? undefined : inWords(text, zone)) : inUnit(number, unit, text);
  return at !== undefined && at >= 0 && at <= MILLIS_MAX ? at : undefined;
}

function inUnit(number: number, unit: TimeUnit, text: string): number {
  if (unit === 's') return millisOfSeconds(number);
  return unit === 'ms' ? Math.floor(number) : parseTimestamp('time', text);
}

function inWords(text: string, zone: string | undefined): number | undefined {
  const [, date, minutes, seconds = ':00', fraction, own] = DATE_TIME.exec(text) ?? [];
  const offset = own === 'UTC' || own === 'GMT' ? 'Z' : (own ?? zone);
  if (date === undefined || minutes === undefined || offset === undefined) return undefined;
  try {
    return parseTimestamp(
      'time',
      `${date}T${minutes}${seconds}${fraction === undefined ? '' : `.${fraction}`}${offset}`,
    );
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

function isOfNumbers(unit: TimeUnit): boolean {
  return unit === 's' || unit === 'ms';
}

function noTime(text: string, { from, unit, zone }: TimeRule): RefusedError {
  const what = {
    s: 'a time in Unix seconds',
    ms: 'a time in Unix milliseconds',
    rfc3339: 'a time in RFC 3339, such as 2026-11-24T12:00:00Z',
    auto: 'a time; send RFC 3339, such as 2026-11-24T12:00:00Z, or Unix seconds or milliseconds',
  }[unit];
  const isZoneMissing = zone === undefined && !isOfNumbers(unit) && inWords(text.trim(), 'Z') !== undefined;
  const remedy = isZoneMissing ? '; it has no time zone: add "zone" to the mapping\'s time' : '';
  return new RefusedError(from.text, `${from.text} ${shown(text)} is not ${what}${remedy}`);
}
