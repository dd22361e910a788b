import type { Random } from './randomEvents.ts';
import { randomQuery } from './randomEvents.ts';

/** What is written on one connection, in these pieces. */
export type Pieces = readonly Buffer[];

const HEADERS: readonly (readonly string[])[] = [
  [],
  ['User-Agent: curl/8.5.0', 'Accept: */*'],
  ['User-Agent: Go-http-client/1.1', 'Content-Length: 0', 'Accept-Encoding: gzip'],
  ['Accept-Encoding: gzip, deflate', 'Accept: */*', 'Connection: keep-alive', 'Content-Length: 0'],
  [
    'connection: keep-alive',
    'accept: */*',
    'accept-language: *',
    'sec-fetch-mode: cors',
    'content-length: 0',
  ],
];

/** Each of them, alone or with others, may end a request elsewhere, or change its answer. */
const ODD_LINES: readonly string[] = [
  'Content-Length: 5',
  'Content-Length: 00',
  'Content-Length: ',
  'Content-Length : 0',
  'Content-Length: 0, 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Connection: close',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Content-Type: application/json',
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Encoding: br',
  'Idempotency-Key: "same"',
  'ce-specversion: 1.0',
  'Accept: text/plain',
  'Host: twice',
  'X-A: b',
  ' folded',
  'broken',
  ': nameless',
  'Accept:\tb',
  'Accept: a\x00b',
  'User-Agent: \xfc',
  'User-Agent:',
];

/** Bytes that mean something to a parser, or to nobody. */
const ODD_BYTES = '\r\n\0\t :;,#?&=%+/"<>\\^`{|}\x7f\x80\xff aZ0'.split('');

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
const below = (random: Random, end: number): number => Math.floor(random() * end);

const BODY_TYPES = ['application/json', 'application/x-ndjson', 'application/jsonl'] as const;

/** Events as JSON, most of them right. */
const EVENTS: readonly ((name: string) => string)[] = [
  (name) => `{"labels":{"case":"${name}"}}`,
  (name) => `{"labels":{"case":"${name}","n":1},"value":2.5}`,
  (name) => `{ "labels": { "case": "${name}" }, "id": "${name}.id" }`,
  (name) => `{"name":"m","labels":{"case":"${name}\\n\\u00fc"}}`,
  () => '{"labels":{"a":"1","a":"2"}}',
  () => '{"value":"x"}',
  () => '[]',
  () => '',
];

/** Ids as headers, most of them right: some of them come twice, and some are those of events. */
const KEYS: readonly ((name: string) => string)[] = [
  (name) => `"${name}.0"`,
  (name) => `${name}.1`,
  (name) => `"${name}\\"2"`,
  (name) => `${name}.${'long'.repeat(60)}`,
  (name) => `"${name}`,
  () => 'same',
  () => '"a\\b"',
];

/** What a post says of itself that its clients say of theirs: some header lines. */
function saidOf(random: Random, name: string, credentials: readonly string[]): readonly string[] {
  const key = pick(random, KEYS.slice(0, random() < 0.85 ? 3 : KEYS.length))(name);
  return [
    ...(random() < 0.4 ? [`Idempotency-Key: ${key}`] : []),
    ...(credentials.length > 0 ? [`Authorization: ${pick(random, credentials)}`] : []),
  ];
}

/** A post of events in a body. */
function goodBody(random: Random, name: string, credentials: readonly string[]): string {
  const type = pick(random, BODY_TYPES);
  const events = Array.from({ length: 1 + below(random, 4) }, () =>
    pick(random, EVENTS.slice(0, random() < 0.85 ? 4 : EVENTS.length))(name),
  );
  const lines = events.join('\n') + pick(random, ['', '\n', '\r\n']);
  const body = type !== 'application/json' ? lines : events.length === 1 ? lines : `[${events.join(',')}]`;
  const headers = pick(random, HEADERS).filter((line) => !/^content-length/i.test(line));
  const said = [
    `Content-Type: ${type}`,
    ...saidOf(random, name, credentials),
    `Content-Length: ${body.length}`,
  ];
  const url = random() < 0.7 ? '/event' : `/event?${pick(random, COMMON)}`;
  return [`POST ${url} HTTP/1.1`, 'Host: test', ...headers, ...said, '', body].join('\r\n');
}

/** What a URL says of all events of a body. */
const COMMON = [
  '__timestamp__=2026-01-01T00%3A00%3A00Z',
  'a=1',
  'partial=true',
  'p%61rtial=true',
  'partial=x',
  '',
];

/** A post of a form. */
function goodForm(random: Random, name: string, credentials: readonly string[]): string {
  const form = pick(random, [
    `case=${name}`,
    `case=${name}&value=2`,
    `case=${name}&__id__=${name}.1`,
    `case=${name}&case=2`,
    `{"case":1}`,
  ]);
  const type = pick(random, [FORM, FORM, `${FORM};charset=UTF-8`, `${FORM}; charset=latin1`]);
  const url = pick(random, ['/event', '/event', '/event?a=1', '/event?case=1']);
  return [
    `POST ${url} HTTP/1.1`,
    'Host: test',
    `Content-Type: ${type}`,
    ...saidOf(random, name, credentials),
    `Content-Length: ${form.length}`,
    '',
    form,
  ].join('\r\n');
}

const FORM = 'application/x-www-form-urlencoded';

/** A post by URL as some client sends it; each has events of its own. */
function goodPost(random: Random, name: string, credentials: readonly string[]): string {
  const query =
    random() < 0.5
      ? `case=${name}&__id__=${name}.${below(random, 3)}`
      : `case=${name}&${randomQuery(random).query}`;
  const said = saidOf(random, name, credentials);
  const lines = [`POST /event?${query} HTTP/1.1`, 'Host: test', ...pick(random, HEADERS), ...said];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const MUTATIONS: readonly ((random: Random, text: string) => string)[] = [
  (_random, text) => text,
  (random, text) => withLine(random, text, pick(random, ODD_LINES)),
  (random, text) => {
    const lines = text.split('\r\n').slice(1, -2);
    return withLine(random, text, pick(random, lines));
  },
  // A byte more, one less, another one.
  (random, text) => spliced(random, text, 0, pick(random, ODD_BYTES)),
  (random, text) => spliced(random, text, 1, ''),
  (random, text) => spliced(random, text, 1, pick(random, ODD_BYTES)),
  (random, text) =>
    text.replace('HTTP/1.1', pick(random, ['HTTP/1.0', 'HTTP/1.2', 'http/1.1', 'HTTP/2.0', ''])),
  (random, text) => text.replace('POST', pick(random, ['GET', 'PUT', 'HEAD', 'OPTIONS', 'post', 'POST '])),
  (random, text) =>
    text.replace('/event', pick(random, ['/', '/event/', '/EVENT', '//event', 'event', '/%65vent', '*'])),
  (random, text) =>
    text.replace('Host: test\r\n', pick(random, ['', 'Host:\r\n', 'Host: test \r\n', 'host:test\r\n'])),
  (_random, text) => text.replaceAll('\r\n', '\n'),
  (_random, text) => `\r\n${text}`,
  (random, text) => text.slice(0, below(random, text.length)),
  (_random, text) => `${text}a=1`,
];

function withLine(random: Random, text: string, line: string): string {
  const lines = text.split('\r\n');
  lines.splice(1 + below(random, lines.length - 2), 0, line);
  return lines.join('\r\n');
}

function spliced(random: Random, text: string, taken: number, put: string): string {
  const at = below(random, text.length);
  return text.slice(0, at) + put + text.slice(at + taken);
}

/**
 * What stands behind a body, apart from it: in one piece with it, the answer to a broken request may come before the one to the body, as
 * docs/decisions/0032-a-lane-for-plain-posts.md has it.
 */
function bodyAndRest(text: string): readonly string[] {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  const end = headEnd + Number(/^content-length: *(\d+)\r?$/im.exec(text.slice(0, headEnd))?.[1] ?? 0);
  return headEnd < 4 || end === headEnd ? [text] : [text.slice(0, end), text.slice(end)];
}

/**
 * A few posts on one connection, good ones and broken ones, in pieces that need not end where requests do. Each has one of the credentials, if
 * there are any.
 */
export function randomPosts(random: Random, name: string, credentials: readonly string[] = []): Pieces {
  const count = 1 + below(random, 4);
  const broken = (post: string) => pick(random, MUTATIONS)(random, post);
  const pipelined = () => {
    const posts = Array.from({ length: count }, () => goodPost(random, name, credentials));
    // What is behind a broken one there is a matter of when the one before is answered.
    return [posts.slice(0, -1).join('') + broken(posts.at(-1) ?? '')];
  };
  const oneByOne = () =>
    Array.from({ length: count }, () => {
      const good = pick(random, [goodBody, goodBody, goodForm, goodPost, goodPost]);
      const post = good(random, name, credentials);
      return random() < 0.6 ? post : broken(post);
    });
  const texts = random() < 0.25 ? pipelined() : oneByOne().flatMap(bodyAndRest);
  const pieces = texts.flatMap((text) => {
    if (random() < 0.8) return [text];
    const at = below(random, text.length);
    return [text.slice(0, at), text.slice(at)];
  });
  return pieces.filter((piece) => piece !== '').map((piece) => Buffer.from(piece, 'latin1'));
}
