import { RefusedError, shown } from '../core/errors.ts';
import { exactTextOf } from './text.ts';

/** Where a form came from; also the field an error names when no parameter is to blame. */
export type FormSource = 'url' | 'body';

type Pair = readonly [name: string, value: string];

/**
 * Decodes `application/x-www-form-urlencoded` text: a URL's query, without its `?`, or a body. Stricter than
 * https://url.spec.whatwg.org/#urlencoded-parsing, which replaces what it can't decode: here that is refused, since it would be
 * stored as something that nobody sent. `;` is an ordinary character. Throws a RefusedError that names the parameter.
 *
 * A URL's text holds one byte in each character, as Node's HTTP server gives it, and so do its bytes beyond ASCII: they are taken
 * as UTF-8. A body's text is text; its bytes, if it comes as such, must be UTF-8, and line breaks at the end of a value are left out.
 */
export function parseForm(source: FormSource, raw: string | Uint8Array, pairsMax: number): Pair[] {
  const text = toText(source, raw);
  const pairs: Pair[] = [];
  let from = 0;
  while (from < text.length) {
    let end = from;
    let equals = -1;
    let isEncoded = false;
    for (; end < text.length; end += 1) {
      const unit = text.charCodeAt(end);
      if (unit === AMPERSAND) break;
      if (unit === PERCENT || unit === PLUS) isEncoded = true;
      else if (unit === EQUALS && equals === -1) equals = end;
    }
    if (end > from) {
      if (pairs.length === pairsMax) throw tooMany(source, pairsMax);
      if (equals === from) throw nameless(source, text.slice(from, end));
      const name = text.slice(from, equals === -1 ? end : equals);
      const value = equals === -1 ? '' : text.slice(equals + 1, end);
      const pair = isEncoded ? decoded(source, name, value) : ([name, value] as const);
      pairs.push(source === 'body' ? withoutLastBreak(pair) : pair);
    }
    from = end + 1;
  }
  return pairs;
}

/** What curl reads from a file ends in a line's end, which is not part of the value: `--data-urlencode message@file`, `--data-binary @file`. */
function withoutLastBreak(pair: Pair): Pair {
  const [name, value] = pair;
  let end = value.length;
  while (end > 0 && isBreak(value.charCodeAt(end - 1))) end -= 1;
  return end === value.length ? pair : [name, value.slice(0, end)];
}

function isBreak(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d;
}

function tooMany(source: FormSource, pairsMax: number): RefusedError {
  return new RefusedError(
    source,
    `${source} has more than ${pairsMax} parameters; send fewer, or raise event.labelsMax`,
  );
}

function nameless(source: FormSource, piece: string): RefusedError {
  return new RefusedError(source, `${source} has a value without a name, ${shown(piece)}; write name=value`);
}

function decoded(source: FormSource, encodedName: string, value: string): Pair {
  const name = decode(source, encodedName);
  return [name, decode(name, value)];
}

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const ENCODED = /[%+]/;
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;

function decode(field: string, encoded: string): string {
  if (!ENCODED.test(encoded)) return encoded;
  if (BROKEN_ESCAPE.test(encoded)) {
    throw new RefusedError(
      shortField(field),
      `${shortField(field)} contains ${shown(encoded)}: a % must be followed by two hexadecimal digits; write % itself as %25`,
    );
  }
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (cause) {
    throw notUtf8(field, encoded, cause);
  }
}

const BEYOND_ASCII = /[\u0080-\uffff]/;
const BEYOND_ASCII_ALL = /[\u0080-\uffff]/g;
const BEYOND_BYTE = /[\u0100-\uffff]/;

function toText(source: FormSource, raw: string | Uint8Array): string {
  if (typeof raw !== 'string') {
    const text = exactTextOf(raw);
    if (text === undefined) throw notUtf8(source);
    return text;
  }
  if (!BEYOND_ASCII.test(raw)) return raw;
  if (source === 'url') {
    if (BEYOND_BYTE.test(raw)) throw notUtf8(source, raw);
    return raw.replaceAll(BEYOND_ASCII_ALL, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  }
  if (!raw.isWellFormed()) throw notUtf8(source);
  return raw;
}

function notUtf8(field: string, encoded?: string, cause?: unknown): RefusedError {
  const what = encoded === undefined ? '' : ` (${shown(encoded)})`;
  const message = `${shortField(field)} contains invalid UTF-8${what}; send text as UTF-8, percent-encoded`;
  return new RefusedError(shortField(field), message, { cause });
}

/** A parameter's name as far as an error may repeat it. */
function shortField(field: string): string {
  return field.length > 64 ? `${field.slice(0, 64)}…` : field;
}
