/** What comes before a plain post's parameters, and behind them. */
const START = 'POST /event';
const VERSION = ' HTTP/1.1';
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';

/** Longer than any post by URL of a person or a program; what is longer is read by those who bound it. */
export const PLAIN_POST_BYTES_MAX = 4096;

/** What parameters may consist of here: what the usual encoders leave as it is, and what they encode with. */
const QUERY = /^\?[\w.~!*'()$,/:;=@&%+-]*$/;

const ANY = /^[\x20-\x7e]+$/;

/**
 * Headers that change nothing of what becomes of a post without a body, and the values for which that holds: what curl, the HTTP clients of Go,
 * Python, Node, Java and browsers send by themselves. Whatever is not here is no plain post's.
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
  'content-length': /^0$/,
  'sec-fetch-dest': ANY,
  'sec-fetch-mode': ANY,
  'sec-fetch-site': ANY,
};

/** No blanks at the ends of a value, no tabs, no lines that go on. */
const HEADER = /^([A-Za-z-]+): ?(\S(?:.*\S)?)$/;

/**
 * Recognises plain posts among the bytes of one connection: one event whose parameters stand in the URL, without a body. It is no parser: it
 * takes what is exactly of one shape, and of whatever else it says nothing but that it isn't.
 */
export class PlainPosts {
  /** The headers that were found good last. A client sends the same ones again and again. */
  #headers: string | undefined;

  /** The parameters of a post, without their `?`, if the text is one plain post, whole, and nothing else; undefined otherwise. */
  parametersOf(text: string): string | undefined {
    if (!text.startsWith(START)) return undefined;
    const lineEnd = text.indexOf(LINE_END);
    if (lineEnd === -1) return undefined;
    const targetEnd = lineEnd - VERSION.length;
    if (targetEnd < START.length || !text.startsWith(VERSION, targetEnd)) return undefined;
    const query = text.slice(START.length, targetEnd);
    if (query !== '' && !QUERY.test(query)) return undefined;
    const headers = text.slice(lineEnd);
    if (headers !== this.#headers) {
      if (!arePlain(headers)) return undefined;
      this.#headers = headers;
    }
    return query.slice(1);
  }
}

/** Whether these are lines with nothing but plain headers, each there once, Host among them, up to an empty line that is the last. */
function arePlain(headers: string): boolean {
  if (!headers.endsWith(HEAD_END)) return false;
  const lines = headers.slice(LINE_END.length, -HEAD_END.length).split(LINE_END);
  const seen = new Set<string>();
  for (const line of lines) {
    const [, given = '', value = ''] = HEADER.exec(line) ?? [];
    const name = given.toLowerCase();
    if (seen.has(name) || !Object.hasOwn(HEADERS, name) || HEADERS[name]?.test(value) !== true) return false;
    seen.add(name);
  }
  return seen.has('host');
}
