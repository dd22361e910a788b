import { RefusedError, shown } from '../core/errors.ts';
import { HASHED_UNITS_MAX, TextMap } from '../core/textMap.ts';

/**
 * A JSON value. Objects have no prototype, so that `__proto__` and `constructor` are names like any other. A member whose name is longer than
 * `HASHED_UNITS_MAX` stands under the beginning of it: no event takes so long a name, and nobody asks for one.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = Readonly<{ [name: string]: Json }>;

/** A number as it was written: a float64 would lose digits of a long one. Its value is within the range of a float64. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Tells an object from all other values. */
export function isJsonObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);
}

/** What a value is, in words. */
export function kindOf(json: Json): string {
  if (json === null) return 'null';
  if (json instanceof JsonNumber) return 'a number';
  if (Array.isArray(json)) return 'an array';
  return typeof json === 'object' ? 'an object' : `a ${typeof json}`;
}

/** Objects and arrays within each other; events need three, and what comes with them little more. */
const DEPTH_MAX = 64;

/**
 * Reads JSON as https://www.rfc-editor.org/rfc/rfc8259 has it, and refuses what `JSON.parse` would change without a word: a name that
 * stands twice in an object (it keeps the last), and a number beyond a float64 (it makes it infinite). Throws a RefusedError
 * whose field is `body`, or the path of a name that stands twice: `[3].labels.env`.
 */
export function parseJson(text: string): Json {
  return new JsonReader(text).read();
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK_UP_TO = 0x20;

class JsonReader {
  readonly #text: string;
  #place = 0;
  /** Names and indices that lead to where the reader is. */
  readonly #path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): Json {
    const json = this.#value();
    this.#skipBlanks();
    if (this.#place < this.#text.length) throw this.#unexpected('the end');
    return json;
  }

  #value(): Json {
    this.#skipBlanks();
    switch (this.#text[this.#place]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    const object = Object.create(null) as { [name: string]: Json };
    let long: LongNames | undefined;
    this.#open();
    if (this.#takes('}')) return object;
    do {
      this.#skipBlanks();
      if (this.#text[this.#place] !== '"') throw this.#unexpected('a name in double quotes');
      const name = this.#string();
      this.#path.push(name);
      const key = name.length > HASHED_UNITS_MAX ? (long ??= new LongNames()).standIn(name) : name;
      if (key === undefined || key in object) throw this.#twice(name);
      if (!this.#takes(':')) throw this.#unexpected('a colon');
      object[key] = this.#value();
      this.#path.pop();
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#unexpected('a comma or }');
    return object;
  }

  #array(): readonly Json[] {
    const array: Json[] = [];
    this.#open();
    if (this.#takes(']')) return array;
    do {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    } while (this.#takes(','));
    if (!this.#takes(']')) throw this.#unexpected('a comma or ]');
    return array;
  }

  #open(): void {
    this.#place += 1;
    if (this.#path.length === DEPTH_MAX) {
      throw new RefusedError(
        'body',
        `body nests objects and arrays more than ${DEPTH_MAX} levels deep; flatten it`,
      );
    }
  }

  #string(): string {
    const from = (this.#place += 1);
    let isPlain = true;
    for (;;) {
      const code = this.#text.charCodeAt(this.#place);
      if (code === QUOTE) break;
      // NaN, the code of what is beyond the end, is not below either.
      if (!(code >= BLANK_UP_TO))
        throw this.#unexpected('a closing quote, and no unescaped control character before it');
      if (code === BACKSLASH) {
        isPlain = false;
        if (this.#matched(ESCAPE) === undefined) throw this.#unexpected('an escape such as \\n or \\u00e9');
      } else this.#place += 1;
    }
    const raw = this.#text.slice(from, this.#place);
    this.#place += 1;
    return isPlain ? raw : (JSON.parse(`"${raw}"`) as string);
  }

  #number(): JsonNumber {
    const text = this.#matched(NUMBER);
    if (text === undefined) throw this.#unexpected('a value');
    if (Number.isFinite(Number(text))) return new JsonNumber(text);
    throw new RefusedError(
      this.#where(),
      `${this.#where()} ${shown(text)} is out of range for a float64; write "+Inf" or "-Inf" if you mean infinity`,
    );
  }

  #word<T>(word: string, json: T): T {
    if (!this.#text.startsWith(word, this.#place)) throw this.#unexpected('a value');
    this.#place += word.length;
    return json;
  }

  #takes(sign: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#place] !== sign) return false;
    this.#place += 1;
    return true;
  }

  #skipBlanks(): void {
    if (this.#text.charCodeAt(this.#place) > BLANK_UP_TO) return;
    this.#matched(BLANK);
  }

  #matched(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#place;
    const [matched] = pattern.exec(this.#text) ?? [];
    if (matched !== undefined) this.#place += matched.length;
    return matched;
  }

  #where(): string {
    return this.#path.length === 0 ? 'body' : pathOf(this.#path);
  }

  #twice(name: string): RefusedError {
    return new RefusedError(
      this.#where(),
      `${shown(name)} appears more than once in one object; use each name only once`,
    );
  }

  #unexpected(expected: string): RefusedError {
    const before = this.#text.slice(0, this.#place);
    const line = before.split('\n').length;
    const column = this.#place - before.lastIndexOf('\n');
    const at = line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
    const found = this.#text.slice(this.#place, this.#place + 20);
    return new RefusedError(
      'body',
      `body is not valid JSON: expected ${expected} at ${at}, but found ${found === '' ? 'the end' : shown(found)}`,
    );
  }
}

/**
 * The names in one object that V8 doesn't hash whole. As names of members, thousands of one length would each be compared with all
 * others, here and wherever else in the process such a name was.
 */
class LongNames {
  readonly #all = new TextMap<true>();

  /** What a name begins with, and what tells it apart, together as long as a name may be; undefined for one that was there before. */
  standIn(name: string): string | undefined {
    if (this.#all.has(name)) return undefined;
    this.#all.set(name, true);
    // No legacy name holds the sign; and as a UTF-8 name it is too long for any series.
    const end = `~${this.#all.size}`;
    return name.slice(0, HASHED_UNITS_MAX - end.length) + end;
  }
}

/** A path as errors name it: `[3].labels.env`; each name cut short. */
export function pathOf(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 64)}`))
    .join('')
    .replace(/^\./, '');
}
