/** Beyond a float64 only with an exponent, or with more characters than these. */
const NUMBER_CHARACTERS_MAX = 100;

const SPACE = 0x20;
const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** Where the quote stands that ends a text without escapes; -1 where there is none, or a bare control character comes before it. */
export function stringEnd(text: string, from: number): number {
  for (let place = from; ; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit === QUOTE) return place;
    // NaN, the code of what is beyond the end, is not at least SPACE either.
    if (unit === BACKSLASH || !(unit >= SPACE)) return -1;
  }
}

/** The same of a text that may hold escapes, whether right or wrong. */
export function escapedEnd(text: string, from: number): number {
  for (let place = from; ; place += 1) {
    let unit = text.charCodeAt(place);
    if (unit === QUOTE) return place;
    if (unit === BACKSLASH) {
      place += 1;
      unit = text.charCodeAt(place);
    }
    if (!(unit >= SPACE)) return -1;
  }
}

/** What a text in its quotes says; undefined where an escape is wrong. */
export function unescaped(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** Whether a number may begin there. */
export function startsNumber(text: string, place: number): boolean {
  const unit = text.charCodeAt(place);
  return unit === MINUS || isDigit(unit);
}

/** Where a number ends that has no exponent; -1 where it isn't one as JSON has them, or so long that it might be beyond a float64. */
export function numberEnd(text: string, from: number): number {
  const whole = text.charCodeAt(from) === MINUS ? from + 1 : from;
  let end = digitsEnd(text, whole);
  if (end === whole || (text.charCodeAt(whole) === ZERO && end > whole + 1)) return -1;
  if (text.charCodeAt(end) === POINT) {
    const fraction = end + 1;
    end = digitsEnd(text, fraction);
    if (end === fraction) return -1;
  }
  return end - from > NUMBER_CHARACTERS_MAX ? -1 : end;
}

function digitsEnd(text: string, from: number): number {
  let place = from;
  while (isDigit(text.charCodeAt(place))) place += 1;
  return place;
}

export function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}
