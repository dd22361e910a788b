import { RefusedError, shown } from '../../core/errors.ts';
import { HASHED_UNITS_MAX } from '../../core/textMap.ts';
import type { Json } from '../json.ts';
import { JsonNumber } from '../json.ts';
import { exactTextOf } from '../text.ts';
import { numberEnd, stringEnd } from './jsonTokens.ts';
import type { Wanted } from './wanted.ts';

/** Objects and arrays within each other; no sender comes near it. */
const DEPTH_MAX = 512;
/** A step takes so many bytes, or a single text that is longer. */
const STEP_BYTES = 64 * 1024;
/** What an object or an array takes, and each of its members beside the text of its value, in bytes. Estimates. */
const CONTAINER_BYTES = 120;
const MEMBER_BYTES = 60;
const SHOWN_BYTES = 20;

const WORDS: ReadonlyMap<number, readonly [word: string, json: Json]> = new Map(
  (
    [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const
  ).map((each) => [each[0].charCodeAt(0), each]),
);

const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

/** An object or an array that isn't closed yet. */
interface Open {
  readonly isObject: boolean;
  /** Undefined for what is passed over. */
  readonly wanted: Wanted | undefined;
  readonly json: Record<string, Json> | Json[];
  /** The member's name that comes next, where it is wanted. */
  name: string | undefined;
  /** How many items came. */
  count: number;
}

/** Reads JSON out of bytes, and makes values only of what is wanted. It keeps its own stack: a deep body costs no more than a wide one. */
export class DocumentReader {
  readonly #bytes: Uint8Array;
  #place: number;
  /** What values took since the last step, in bytes. */
  readonly #memory = { taken: 0 };

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#place = from;
  }

  /** Undefined where there are only blanks. Each step tells what memory it took. Throws a RefusedError. */
  *read(all: Wanted): Generator<number, Json | undefined> {
    const stack: Open[] = [];
    let stepEnd = this.#place + STEP_BYTES;
    if (this.#next() === undefined) return undefined;
    for (;;) {
      if (this.#place > stepEnd) {
        yield this.#memory.taken;
        this.#memory.taken = 0;
        stepEnd = this.#place + STEP_BYTES;
      }
      const above = stack.at(-1);
      const wanted = above === undefined ? all : this.#wantedIn(above);
      const opened = this.#open(wanted, stack.length);
      if (opened !== undefined) {
        stack.push(opened);
        if (!this.#takes(opened.isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          if (opened.isObject) this.#name(opened);
          continue;
        }
        stack.pop();
      }
      let json: Json | undefined = opened === undefined ? this.#scalar(wanted) : opened.json;
      // Closes what ends here, each a value of what it stands in.
      for (;;) {
        const open = stack.at(-1);
        if (open === undefined) {
          if (this.#next() !== undefined) throw this.#unexpected('the end');
          yield this.#memory.taken;
          return json;
        }
        this.#put(open, json);
        if (this.#takes(COMMA)) {
          if (open.isObject) this.#name(open);
          break;
        }
        if (!this.#takes(open.isObject ? CLOSE_OBJECT : CLOSE_ARRAY))
          throw this.#unexpected(open.isObject ? 'a comma or }' : 'a comma or ]');
        stack.pop();
        json = open.json;
      }
    }
  }

  #wantedIn({ wanted, isObject, name, count }: Open): Wanted | undefined {
    if (wanted === undefined || !isObject) return wanted?.at(count);
    return name === undefined ? undefined : wanted.at(name);
  }

  #open(wanted: Wanted | undefined, depth: number): Open | undefined {
    const sign = this.#next();
    if (sign !== OPEN_OBJECT && sign !== OPEN_ARRAY) return undefined;
    if (depth === DEPTH_MAX)
      throw new RefusedError(
        'body',
        `body nests objects and arrays more than ${DEPTH_MAX} levels deep; flatten it`,
      );
    this.#place += 1;
    if (wanted !== undefined) this.#memory.taken += CONTAINER_BYTES;
    const isObject = sign === OPEN_OBJECT;
    // Without a prototype, so that `__proto__` and `constructor` are names like any other.
    const json = isObject ? (Object.create(null) as Record<string, Json>) : [];
    return { isObject, wanted, json, name: undefined, count: 0 };
  }

  #put(open: Open, json: Json | undefined): void {
    const { json: into, name, wanted } = open;
    const isWanted = this.#wantedIn(open) !== undefined;
    if (Array.isArray(into)) {
      // What is passed over leaves its place, so that the index of the others is right.
      if (isWanted || open.count <= (wanted?.lastIndex ?? -1)) into.push(isWanted ? (json ?? null) : null);
      open.count += 1;
    } else if (isWanted && name !== undefined && json !== undefined) into[name] = json;
    if (isWanted) this.#memory.taken += MEMBER_BYTES;
  }

  /** Reads a member's name, and the colon behind it. */
  #name(open: Open): void {
    if (this.#next() !== QUOTE) throw this.#unexpected('a name in double quotes');
    const { wanted } = open;
    const from = this.#place;
    const isRead = wanted !== undefined && (wanted.isWhole || wanted.hasMembers);
    const name = this.#string(isRead);
    // A longer name is no label's and no mapping's, and thousands of one length would make a list of the object.
    const mayBeWanted = name !== undefined && name.length <= HASHED_UNITS_MAX;
    open.name = mayBeWanted && wanted?.at(name) !== undefined ? name : undefined;
    if (open.name !== undefined) this.#memory.taken += this.#place - from;
    if (!this.#takes(COLON)) throw this.#unexpected('a colon');
  }

  #scalar(wanted: Wanted | undefined): Json | undefined {
    const sign = this.#next();
    const from = this.#place;
    if (sign === QUOTE) {
      const text = this.#string(wanted !== undefined);
      if (wanted !== undefined) this.#memory.taken += (this.#place - from) * 2;
      return text;
    }
    const [word, json] = WORDS.get(sign ?? 0) ?? [];
    if (word !== undefined) {
      for (let at = 0; at < word.length; at += 1)
        if (this.#bytes[from + at] !== word.charCodeAt(at)) throw this.#unexpected('a value');
      this.#place += word.length;
      return json;
    }
    const end = numberEnd(this.#bytes, from);
    if (end === undefined) throw this.#unexpected('a value');
    this.#place = end;
    return wanted === undefined ? undefined : new JsonNumber(this.#text(from, end));
  }

  /** Reads a text; undefined where it isn't wanted. */
  #string(isWanted: boolean): string | undefined {
    const from = this.#place + 1;
    const { end, fault, isPlain } = stringEnd(this.#bytes, from);
    if (fault !== undefined) {
      this.#place = end;
      throw this.#unexpected(fault);
    }
    this.#place = end + 1;
    if (!isWanted) return undefined;
    const raw = this.#text(from, end);
    return isPlain ? raw : (JSON.parse(`"${raw}"`) as string);
  }

  #text(from: number, end: number): string {
    const text = exactTextOf(this.#bytes.subarray(from, end));
    if (text === undefined) throw new RefusedError('body', 'body is not valid UTF-8; send text as UTF-8');
    return text;
  }

  /** The byte that comes next behind blanks, which are passed over; undefined at the end. */
  #next(): number | undefined {
    let byte = this.#bytes[this.#place];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#place += 1;
      byte = this.#bytes[this.#place];
    }
    return byte;
  }

  #takes(sign: number): boolean {
    if (this.#next() !== sign) return false;
    this.#place += 1;
    return true;
  }

  #unexpected(expected: string): RefusedError {
    let line = 1;
    let lineFrom = 0;
    for (
      let at = this.#bytes.indexOf(0x0a);
      at !== -1 && at < this.#place;
      at = this.#bytes.indexOf(0x0a, lineFrom)
    ) {
      line += 1;
      lineFrom = at + 1;
    }
    const decoder = new TextDecoder();
    const column = decoder.decode(this.#bytes.subarray(lineFrom, this.#place)).length + 1;
    const at = line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
    const found = decoder.decode(this.#bytes.subarray(this.#place, this.#place + SHOWN_BYTES));
    return new RefusedError(
      'body',
      `body is not valid JSON: expected ${expected} at ${at}, but found ${found === '' ? 'the end' : shown(found)}`,
    );
  }
}
