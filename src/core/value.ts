import { RefusedError, shown } from './errors.ts';

/** No two of its parts can take the same digit, so that a long text can't make it try every division of itself. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^nan$/i;

/**
 * Reads a sample's value: a decimal, with or without an exponent, `NaN`, `+Inf` or `-Inf` (any case), as Prometheus' text format
 * writes them. The nearest float64 is kept. Refused: anything else, and a number too large for a float64 (`1e400`).
 */
export function parseSampleValue(field: string, text: string): number {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new RefusedError(
      field,
      `${field} ${shown(text)} is out of range for a float64; use +Inf or -Inf if you mean infinity`,
    );
  }
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  // What a URL's or a form's + becomes.
  const plus = text.startsWith(' ') ? '; in a URL or a form, write + as %2B' : '';
  throw new RefusedError(
    field,
    `${field} ${shown(text)} is not a number; use a decimal such as 42, 0.5 or 1e9, or NaN, +Inf, -Inf${plus}`,
  );
}

/** Writes a value so that a float64 parser reads the same bits again (every NaN is one NaN). */
export function formatSampleValue(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
