/** Where tokens of JSON end among bytes: https://www.rfc-editor.org/rfc/rfc8259 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const LETTER_U = 0x75;
/** What may stand behind a backslash, but for `u`. */
const ESCAPED: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (sign) => sign.charCodeAt(0)));

/** A text's end: the place of its closing quote, or of what can't be in it. */
export interface StringEnd {
  readonly end: number;
  /** What should be there instead. */
  readonly fault?: string;
  /** Whether it has no escapes. */
  readonly isPlain: boolean;
}

/** Finds the end of a text that begins at `from`, behind its opening quote. */
export function stringEnd(bytes: Uint8Array, from: number): StringEnd {
  let isPlain = true;
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte === QUOTE) return { end: at, isPlain };
    if (byte === undefined || byte < BLANK)
      return { end: at, isPlain, fault: 'a closing quote, and no unescaped control character before it' };
    if (byte === BACKSLASH) {
      isPlain = false;
      const length = escapeLength(bytes, at + 1);
      if (length === 0) return { end: at, isPlain, fault: 'an escape such as \\n or \\u00e9' };
      at += length;
    }
    at += 1;
  }
}

/** How many bytes of an escape stand behind its backslash; 0 where it is none. */
function escapeLength(bytes: Uint8Array, from: number): number {
  const sign = bytes[from];
  if (sign === undefined) return 0;
  if (sign !== LETTER_U) return ESCAPED.has(sign) ? 1 : 0;
  for (let at = from + 1; at < from + 5; at += 1) if (!isHexDigit(bytes[at])) return 0;
  return 5;
}

function isHexDigit(byte = 0): boolean {
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Finds the end of a number that begins at `from`; undefined where there is none. */
export function numberEnd(bytes: Uint8Array, from: number): number | undefined {
  const integer = bytes[from] === 0x2d ? from + 1 : from;
  // A zero has no digits behind it.
  const whole = bytes[integer] === 0x30 ? integer + 1 : digitsEnd(bytes, integer);
  if (whole === integer) return undefined;
  let end = whole;
  if (bytes[end] === 0x2e) {
    const fraction = digitsEnd(bytes, end + 1);
    if (fraction === end + 1) return whole;
    end = fraction;
  }
  if (((bytes[end] ?? 0) | 0x20) !== 0x65) return end;
  const sign = bytes[end + 1];
  const exponent = sign === 0x2b || sign === 0x2d ? end + 2 : end + 1;
  const last = digitsEnd(bytes, exponent);
  return last === exponent ? end : last;
}

function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at += 1;
  return at;
}
