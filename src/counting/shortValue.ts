import { hash } from 'node:crypto';
import { utf8Bytes } from '../core/utf8.ts';

/** How long a label's value in the server's own metrics may be, in bytes of UTF-8: many who store samples refuse a scrape with longer ones. */
export const SHORT_VALUE_BYTES_MAX = 128;

/** Hexadecimal digits of the hash that tells apart what begins alike. */
const DIGITS = 8;
const MARK = '…';
const BEGINNING_BYTES = SHORT_VALUE_BYTES_MAX - Buffer.byteLength(MARK) - DIGITS;

const encoder = new TextEncoder();

/**
 * A value as the server's own metrics show it: as it is, or its beginning, cut at a character, with `…` and a part of its hash. The same value
 * gets the same hash after a restart, too.
 */
export function shortValue(value: string): string {
  if (utf8Bytes(value, SHORT_VALUE_BYTES_MAX) <= SHORT_VALUE_BYTES_MAX) return value;
  const { read } = encoder.encodeInto(value, new Uint8Array(BEGINNING_BYTES));
  return value.slice(0, read) + MARK + hash('sha256', value).slice(0, DIGITS);
}
