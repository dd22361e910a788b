import { ownCopy } from '../../core/keptText.ts';
import { NDJSON_TYPES } from '../eventFormat.ts';
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

const ANY = /^[\x20-\x7e]+$/;

/**
 * Headers that change nothing of what becomes of a post but how long its body is, and of which format, and the values for which that holds:
 * what curl, the HTTP clients of Go, Python, Node, Java and browsers send by themselves. Whatever is not here is no plain post's.
 */
const HEADERS: Readonly<Record<string, RegExp>> = {
  host: ANY,
  'user-agent': ANY,
  // Who asks for text gets errors as such.
  accept: /^(?!.*text\/plain)[\x20-\x7e]+$/i,
  'accept-encoding': ANY,
  'accept-language': ANY,
  'cache-control': ANY,
  pragma: ANY,
  connection: /^keep-alive$/i,
  // Longer ones never come in one read of a socket.
  'content-length': /^(?:0|[1-9]\d{0,4})$/,
  'content-type': ANY,
  'sec-fetch-dest': ANY,
  'sec-fetch-mode': ANY,
  // What pages of other sites cause is refused elsewhere.
  'sec-fetch-site': /^(?:same-origin|none)$/,
};

/** No blanks at the ends of a value, no tabs, no lines that go on. */
const HEADER = /^([A-Za-z-]+): ?(\S(?:.*\S)?)$/;

/** How the events of a plain post are written: in its URL, or in its body. */
export type PlainFormat = 'parameters' | 'json' | 'ndjson';

/** A plain post. It has parameters, or a body, or none of the two. */
export interface PlainPost {
  readonly format: PlainFormat;
  /** Without its `?`. */
  readonly query: string;
  /** Not copied. */
  readonly body: Buffer;
}

/** Whether a client may ask by a `Host`. */
export type MayAskBy = (host: string, acceptEncoding: string | undefined) => boolean;

/** What headers say of a body. */
interface BodyHeaders {
  readonly format: PlainFormat;
  readonly length: number;
}

/**
 * Recognises plain posts among the bytes of one connection: one event whose parameters stand in the URL, or events in a body of JSON or
 * NDJSON. It is no parser: it takes what is exactly of one shape, and of whatever else it says nothing but that it isn't.
 */
export class PlainPosts {
  /** The headers that were found good last. A client sends the same ones again and again. */
  #headers = '';
  #said: BodyHeaders | undefined;
  readonly #mayAskBy: MayAskBy;

  constructor(mayAskBy: MayAskBy) {
    this.#mayAskBy = mayAskBy;
  }

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
    const headEnd = text.indexOf(HEAD_END, lineEnd);
    if (headEnd === -1) return undefined;
    const bodyFrom = headEnd + HEAD_END.length;
    const said = this.#saidBy(text.slice(lineEnd, bodyFrom));
    if (said === undefined || bytes.length !== bodyFrom + said.length) return undefined;
    // Few posts have both, and then the URL says what is common to the events of the body.
    if (said.format !== 'parameters' && query !== '') return undefined;
    return { format: said.format, query: query.slice(1), body: bytes.subarray(bodyFrom) };
  }

  #saidBy(headers: string): BodyHeaders | undefined {
    if (headers === this.#headers) return this.#said;
    const said = readHeaders(headers, this.#mayAskBy);
    if (said !== undefined) {
      this.#headers = ownCopy(headers);
      this.#said = said;
    }
    return said;
  }
}

const FORMATS: ReadonlyMap<string, PlainFormat> = new Map([
  ['application/json', 'json'],
  ...NDJSON_TYPES.map((type) => [type, 'ndjson'] as const),
]);

/** What lines say that are nothing but plain headers, each there once, Host among them, up to an empty line, by a Host that is known; undefined where they are not. */
function readHeaders(headers: string, mayAskBy: MayAskBy): BodyHeaders | undefined {
  const lines = headers.slice(LINE_END.length, -HEAD_END.length).split(LINE_END);
  const seen = new Map<string, string>();
  for (const line of lines) {
    const [, given = '', value = ''] = HEADER.exec(line) ?? [];
    const name = given.toLowerCase();
    if (seen.has(name) || !Object.hasOwn(HEADERS, name) || HEADERS[name]?.test(value) !== true)
      return undefined;
    seen.set(name, value);
  }
  const host = seen.get('host');
  if (host === undefined || !mayAskBy(host, seen.get('accept-encoding'))) return undefined;
  const type = seen.get('content-type');
  const length = Number(seen.get('content-length') ?? 0);
  const format = type === undefined ? 'parameters' : FORMATS.get(type);
  // The route knows what to do with a body of no type, and with a type of no body.
  if (format === undefined || (type === undefined) !== (length === 0)) return undefined;
  return { format, length };
}
