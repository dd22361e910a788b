import { RefusedError, shown } from '../../../core/errors.ts';
import type { TimeRule } from './compile.ts';
import type { TimeUnit } from './language.ts';
import type { Material } from './reference.ts';
import { textOf } from './reference.ts';

/** How Go writes the time that is none: https://pkg.go.dev/time#Time.IsZero */
const GO_ZERO = '0001-01-01T00:00:00Z';
/** As GitLab writes times: `2016-08-12 15:23:28 UTC`, `2021-04-28 21:50:00 +0200`. */
const GITLAB = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:UTC|([+-]\d\d):?(\d\d))$/;

const PER_UNIT: Record<Extract<TimeUnit, 's' | 'ms'>, number> = { s: 1000, ms: 1 };
/** The year 9999, the last that RFC 3339 can write. */
const MILLIS_MAX = 253_402_300_799_999;

/**
 * The time of the first rule that has one, as RFC 3339 wherever the rule's unit says what it is; undefined for none. 0, and Go's zero, are
 * none: senders write them for "now". Throws a RefusedError.
 */
export function timeOf(rules: readonly TimeRule[], material: Material): string | undefined {
  for (const rule of rules) {
    const text = textOf(rule.from, material);
    if (text === undefined || text === '0' || text === GO_ZERO) continue;
    return inRfc3339(text, rule);
  }
  return undefined;
}

function inRfc3339(text: string, { unit, from }: TimeRule): string {
  if (unit === 's' || unit === 'ms') {
    const at = Math.floor(/^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) * PER_UNIT[unit] : Number.NaN);
    if (at <= MILLIS_MAX) return new Date(at).toISOString();
    const what = unit === 's' ? 'seconds' : 'milliseconds';
    throw new RefusedError(from.text, `${from.text} ${shown(text)} is not a time in Unix ${what}`);
  }
  const [, date, time, hours, minutes] = GITLAB.exec(text) ?? [];
  if (date === undefined) return text;
  return `${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`;
}
