import type { IncomingHttpHeaders } from 'node:http';
import { ownCopy } from '../../core/keptText.ts';
import { FORM_TYPE, NDJSON_TYPES } from '../eventFormat.ts';
import { mayWait } from '../waitRequest.ts';

/** What comes before a plain post's parameters, and behind them. */
const START = 'POST /event';
const VERSION = ' HTTP/1.1';
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';

/** Longer than the head of any post of a person or a program; what is longer is read by those who bound it. */
const HEAD_BYTES_MAX = 4096;

/** What parameters may consist of here: what the usual encoders leave as it is, and what they encode with. */
const QUERY = /^\?[\w.~!*'()$,/:;=@&%+-]*$/;

/** No blanks at the ends of a value, no tabs, no lines that go on. */
const ANY = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Headers that change nothing of what becomes of a post but who sent it, under which id, how long its body is, and of which format, and the
 * values for which that holds: what curl, the HTTP clients of Go, Python, Node, Java and browsers send by themselves, and what our docs
 * recommend. Whatever is not here is no plain post's.
 */
const HEADERS: Readonly<Record<string, RegExp>> = {
  host: ANY,
  'user-agent': ANY,
  // Who asks for text gets errors as such.
  accept: /^(?!.*text\/plain)[\x20-\x7e]+$/i,
  'accept-encoding': ANY,
  'accept-language': ANY,
  authorization: ANY,
  'cache-control': ANY,
  pragma: ANY,
  connection: /^keep-alive$/i,
  // Longer ones never come in one read of a socket.
  'content-length': /^(?:0|[1-9]\d{0,4})$/,
  'content-type': ANY,
  'idempotency-key': ANY,
  'sec-fetch-dest': ANY,
  'sec-fetch-mode': ANY,
  // What pages of other sites cause is refused elsewhere.
  'sec-fetch-site': /^(?:same-origin|none)$/,
};

/** Those whose values change from one request of a client to the next, or that nobody should keep. */
const CHANGING: ReadonlySet<string> = new Set(['authorization', 'content-length', 'idempotency-key']);

const HEADER = /^([A-Za-z-]+): ?(\S(?:.*\S)?)$/;

/** How the events of a plain post are written: as parameters of its URL, of a form, or both; or in a body. */
export type PlainFormat = 'parameters' | 'json' | 'ndjson';

/** A post that is plain. */
export interface PlainPost {
  readonly format: PlainFormat;
  /** Without its `?`. */
  readonly query: string;
  /** Not copied. */
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
}

/** The headers that a client sends again and again: what stands in the bytes, but for the values that change. */
interface Pattern {
  /** From the end of the first line to the beginning of the body; between each two of them stands a value. */
  readonly pieces: readonly string[];
  /** Which header has the value behind each piece but the last. */
  readonly changing: readonly string[];
  /** All others. */
  readonly headers: IncomingHttpHeaders;
}

/** Headers with their values, and where they end. */
interface Found {
  readonly headers: IncomingHttpHeaders;
  readonly end: number;
}

/**
 * Recognises plain posts among the bytes of one connection: one event whose parameters stand in the URL or a form, or events in a body of JSON
 * or NDJSON. It is no parser: it takes what is exactly of one shape, and of whatever else it says nothing but that it isn't.
 */
export class PlainPosts {
  /** That of the headers that were found good last. */
  #pattern: Pattern | undefined;

  /** What the bytes are, if they are one plain post, whole, and nothing else; undefined otherwise. */
  recognise(bytes: Buffer): PlainPost | undefined {
    const text = bytes.toString('latin1', 0, HEAD_BYTES_MAX);
    if (!text.startsWith(START)) return undefined;
    const lineEnd = text.indexOf(LINE_END);
    if (lineEnd === -1) return undefined;
    const targetEnd = lineEnd - VERSION.length;
    if (targetEnd < START.length || !text.startsWith(VERSION, targetEnd)) return undefined;
    const query = text.slice(START.length, targetEnd);
    if (query !== '' && (!QUERY.test(query) || mayWait(query.slice(1)))) return undefined;
    const found = this.#headersAt(lineEnd, text);
    if (found === undefined) return undefined;
    const { headers, end } = found;
    const type = headers['content-type'];
    const length = Number(headers['content-length'] ?? 0);
    if (bytes.length !== end + length) return undefined;
    const format = type === undefined ? 'parameters' : FORMATS.get(type);
    // The route knows what to do with a body of no type, and with a type of no body.
    if (format === undefined || (type === undefined) !== (length === 0)) return undefined;
    return { format, query: query.slice(1), body: bytes.subarray(end), headers };
  }

  #headersAt(from: number, text: string): Found | undefined {
    const same = this.#pattern && findBy(this.#pattern, from, text);
    if (same !== undefined) return same;
    const end = text.indexOf(HEAD_END, from);
    const pattern = end === -1 ? undefined : patternOf(text.slice(from + LINE_END.length, end));
    if (pattern === undefined) return undefined;
    this.#pattern = pattern;
    return findBy(pattern, from, text);
  }
}

const FORMATS: ReadonlyMap<string, PlainFormat> = new Map([
  [FORM_TYPE, 'parameters'],
  // As browsers and Node write it.
  [`${FORM_TYPE};charset=UTF-8`, 'parameters'],
  ['application/json', 'json'],
  ...NDJSON_TYPES.map((type) => [type, 'ndjson'] as const),
]);

/** The headers that stand in a text where they are of a pattern; undefined where they are not. */
function findBy({ pieces, changing, headers }: Pattern, from: number, text: string): Found | undefined {
  let at = from;
  const all = changing.length === 0 ? headers : { ...headers };
  for (let index = 0; ; index += 1) {
    const piece = pieces[index] as string;
    if (!text.startsWith(piece, at)) return undefined;
    at += piece.length;
    const name = changing[index];
    if (name === undefined) return { headers: all, end: at };
    const end = text.indexOf(LINE_END, at);
    const value = text.slice(at, end);
    if (end === -1 || !isPlain(name, value)) return undefined;
    all[name] = value;
    at = end;
  }
}

function isPlain(name: string, value: string): boolean {
  return Object.hasOwn(HEADERS, name) && HEADERS[name]?.test(value) === true;
}

/** The pattern of lines that are nothing but plain headers, each there once, Host among them; undefined where they are not. */
function patternOf(lines: string): Pattern | undefined {
  const pieces: string[] = [];
  const changing: string[] = [];
  const headers: Record<string, string> = {};
  let piece = '';
  for (const line of lines.split(LINE_END)) {
    const [, given = '', value = ''] = HEADER.exec(line) ?? [];
    const name = given.toLowerCase();
    if (Object.hasOwn(headers, name) || changing.includes(name) || !isPlain(name, value)) return undefined;
    piece += LINE_END;
    if (CHANGING.has(name)) {
      pieces.push(ownCopy(piece + line.slice(0, -value.length)));
      changing.push(name);
      piece = '';
    } else {
      piece += line;
      headers[name] = ownCopy(value);
    }
  }
  pieces.push(ownCopy(piece + HEAD_END));
  return Object.hasOwn(headers, 'host') ? { pieces, changing, headers } : undefined;
}
