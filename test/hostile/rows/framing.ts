import type { Row } from '../row.ts';
import { FORM, JSON_TYPE, KIB, ask, chunked, post, raw, send } from '../row.ts';

const HOST = 'Host: test';
const line = (first: string, ...headers: string[]) => raw([first, HOST, ...headers]);

/** What is not HTTP/1.1, or says two things of where a request ends. */
const BROKEN: readonly Row[] = (
  [
    ['no HTTP at all', () => 'hello\r\n\r\n'],
    ['bytes of a TLS handshake', () => Buffer.from('16030100a5010000a10303', 'hex')],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that is none', () => line('POST /event?a=1 HTTP/9.9')],
    ['a version in lower case', () => line('POST /event?a=1 http/1.1')],
    ['a blank in the path', () => line('POST /event?a=b c HTTP/1.1')],
    ['a tab for a blank', () => line('POST\t/event?a=1\tHTTP/1.1')],
    ['a method that nobody knows', () => line('FROBNICATE /event?a=1 HTTP/1.1')],
    ['a method in lower case', () => line('post /event?a=1 HTTP/1.1')],
    ['a path without a slash', () => line('POST event?a=1 HTTP/1.1')],
    ['an empty path', () => line('POST  HTTP/1.1')],
    ['a NUL in the path', () => line('POST /event?a=\0 HTTP/1.1')],
    ['a line break for itself in the path', () => line('POST /event?a=\rb HTTP/1.1')],
    ['a header without a colon', () => line('POST /event?a=1 HTTP/1.1', 'broken')],
    ['a header without a name', () => line('POST /event?a=1 HTTP/1.1', ': x')],
    ['a blank before the colon', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length : 0')],
    ['a header over two lines', () => line('POST /event?a=1 HTTP/1.1', 'X-A: b', ' c')],
    ['a NUL in a header', () => line('POST /event?a=1 HTTP/1.1', 'X-A: b\0c')],
    ['a bare line feed in a header', () => line('POST /event?a=1 HTTP/1.1', 'X-A: b\nX-B: c')],
    ['a bare carriage return in a header', () => line('POST /event?a=1 HTTP/1.1', 'X-A: b\rX-B: c')],
    ['a length below zero', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: -1')],
    ['a length with a sign', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: +1')],
    ['a length in hexadecimal digits', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: 0x10')],
    ['a length beyond 64 bits', () => line('POST /event?a=1 HTTP/1.1', `Content-Length: ${'9'.repeat(30)}`)],
    ['a length that is a list', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: 0, 0')],
    ['two lengths', () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: 0', 'Content-Length: 5')],
    [
      'a length and chunks: whose end counts?',
      () =>
        raw(
          [
            'POST /event HTTP/1.1',
            HOST,
            `Content-Type: ${FORM}`,
            'Content-Length: 4',
            'Transfer-Encoding: chunked',
          ],
          '3\r\na=1\r\n0\r\n\r\n',
        ),
    ],
    [
      'a transfer coding that does not end in chunked',
      () => raw(['POST /event HTTP/1.1', HOST, 'Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'),
    ],
    ['a size of a chunk that is none', () => chunked('/event', FORM, [], {}, 'x\r\na=1\r\n0\r\n\r\n')],
    ['a size of a chunk below zero', () => chunked('/event', FORM, [], {}, '-1\r\na=1\r\n0\r\n\r\n')],
    [
      'a size of a chunk beyond 64 bits',
      () => chunked('/event', FORM, [], {}, `${'f'.repeat(20)}\r\na=1\r\n`),
    ],
    ['a chunk longer than its size', () => chunked('/event', FORM, [], {}, '1\r\na=1\r\n0\r\n\r\n')],
    ['a trailer without a colon', () => chunked('/event', FORM, ['a=1'], {}, '0\r\nbroken\r\n\r\n')],
  ] as const
).map(([name, bytes]) => ({ name, bytes, status: 400 }));

/** What ends before it is complete. */
const CUT: readonly Row[] = (
  [
    ['a first line', () => 'POST /eve', 400],
    ['a head', () => 'POST /event?a=1 HTTP/1.1\r\nHost: test\r\nX-A: ', 400],
    ['a form', () => send('/event', FORM, 'a=1', { 'Content-Length': '10' }), 400],
    ['JSON', () => send('/event', JSON_TYPE, '{}', { 'Content-Length': '10' }), 400],
    ['a form in chunks', () => chunked('/event', FORM, ['a=1'], {}, ''), 400],
    ['a chunk', () => chunked('/event', FORM, ['a=1'], {}, '5\r\n&b'), 400],
  ] as const
).map(([what, bytes, status]) => ({ name: `${what} that is cut`, bytes, status, ends: true }));

const FLOODS: readonly Row[] = [
  {
    name: 'a header of 200 KiB',
    bytes: () => post('/event?a=1', { 'X-A': 'x'.repeat(200 * KIB) }),
    status: 431,
  },
  {
    name: 'ten thousand headers of different names',
    bytes: () =>
      post(
        '/event?a=1',
        Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`X-${i}`, 'some text'])),
      ),
    status: 431,
  },
  {
    name: 'headers of one name without an end',
    bytes: () => line('POST /event?a=1 HTTP/1.1', ...Array.from({ length: 20_000 }, () => 'X-A: y')),
    status: 431,
  },
  {
    name: 'a name of a header of 200 KiB',
    bytes: () => post('/event?a=1', { ['x'.repeat(200 * KIB)]: '1' }),
    status: 431,
  },
  {
    name: 'cookies without an end',
    bytes: () => post('/event?a=1', { Cookie: 'a=b; '.repeat(40 * KIB) }),
    status: 431,
  },
  {
    name: 'a flood of trailers',
    bytes: () => chunked('/event', FORM, ['a=1'], {}, `0\r\n${'X-A: y\r\n'.repeat(40_000)}\r\n`),
    status: 431,
  },
  {
    name: 'extensions of a chunk without an end',
    bytes: () => chunked('/event', FORM, [], {}, `3;${'x'.repeat(200 * KIB)}\r\na=1\r\n0\r\n\r\n`),
    status: 400,
  },
  {
    name: 'a transfer coding that is none',
    bytes: () => raw(['POST /event HTTP/1.1', HOST, 'Transfer-Encoding: xchunked'], '0\r\n\r\n'),
    status: 400,
    field: 'Transfer-Encoding',
  },
  {
    name: 'a URL of a byte more than may be',
    bytes: () => post(`/event?a=${'x'.repeat(64 * KIB)}`),
    status: 414,
    field: 'url',
  },
  {
    name: 'a path of a byte more than may be',
    bytes: () => post(`/${'x'.repeat(64 * KIB)}`),
    status: 414,
    field: 'url',
  },
  {
    name: 'headers named as members of every object',
    bytes: () =>
      post('/event?a=1', { __proto__x: '1', constructor: '2', toString: '3', hasOwnProperty: '4' }),
    status: 200,
    stored: 1,
  },
  {
    name: 'a header named __proto__',
    bytes: () => line('POST /event?a=1 HTTP/1.1', 'Content-Length: 0', '__proto__: x', '__proto__: y'),
    status: 200,
    stored: 1,
  },
  {
    name: 'an expectation that nobody can meet, which HTTP lets pass',
    bytes: () => post('/event?a=1', { Expect: 'a miracle' }),
    status: 200,
    stored: 1,
  },
  {
    name: 'a first line without a version',
    bytes: () => 'GET /event\r\n\r\n',
    status: 405,
    field: 'method',
  },
  {
    name: 'two blanks before the version, which HTTP lets pass',
    bytes: () => line('POST /event?a=1  HTTP/1.1', 'Content-Length: 0'),
    status: 200,
    stored: 1,
  },
  {
    name: 'a whole address for a path, which HTTP asks to take',
    bytes: () => post('http://other.example/event?a=1'),
    status: 200,
    stored: 1,
  },
  {
    name: 'no Host',
    bytes: () => raw(['POST /event?a=1 HTTP/1.1']),
    status: 400,
    field: 'Host',
  },
  {
    name: 'two credentials, of which a proxy may have checked the other',
    bytes: () =>
      line(
        'POST /event?a=1 HTTP/1.1',
        'Authorization: Bearer a',
        'Authorization: Bearer b',
        'Content-Length: 0',
      ),
    status: 400,
    field: 'Authorization',
  },
  {
    name: 'an error in plain text, of a name with line breaks',
    bytes: () => send('/event', FORM, 'a%0A%0D%E2%80%A8b=%FF', { Accept: 'text/plain' }),
    status: 400,
  },
  {
    name: 'an upgrade to what is not offered',
    bytes: () => post('/event?a-b=1', { Connection: 'Upgrade', Upgrade: 'h2c' }),
    status: 400,
    field: 'a-b',
  },
];

const paths = (status: number, field: string, all: readonly string[], method = 'POST'): Row[] =>
  all.map((path) => ({
    name: `${method} ${path.length > 60 ? `${path.slice(0, 60)}…` : path}`,
    bytes: () => (method === 'POST' ? post(path) : ask(path, {}, method)),
    status,
    field,
  }));

const PATHS: readonly Row[] = [
  ...paths(404, 'path', [
    '//event?a=1',
    '/event/?a=1',
    '/event//?a=1',
    '/./event?a=1',
    '/x/../event?a=1',
    '/../event?a=1',
    '/%2e%2e/event?a=1',
    '/EVENT?a=1',
    '/event;a=1',
    '/event%2f?a=1',
    '/event%00?a=1',
    '/event%20?a=1',
    '/event\\?a=1',
    '/event.json?a=1',
    'http://other.example//event?a=1',
    '*',
    '/__proto__',
    '/constructor/prototype',
    '/webhook/__proto__',
    '/webhook/constructor',
    '/webhook/',
    '/webhook/../event?a=1',
    '/webhook/nobody',
    '/webhook/github/push',
    '/api/v2/alerts/x',
    '/api/annotations/../annotations',
    '/api/annotations/1',
    `/${'a/'.repeat(10_000)}`,
    `/${'%61'.repeat(10_000)}`,
  ]),
  ...paths(
    404,
    'path',
    ['/etc/passwd', '/docs/../../package.json', '/.git/config', '/docs%2f..%2f..'],
    'GET',
  ),
  ...paths(400, 'path', ['/event%', '/%zz', '/%c0%af', '/%ff', '/webhook/%e0%80', '/api/v1/scrapers/%']),
  ...paths(405, 'method', ['/event', '/webhook/github', '/api/v2/alerts', '/api/annotations'], 'GET'),
  ...paths(405, 'method', ['/event?a=1', '/api/annotations/graphite'], 'PUT'),
  ...paths(405, 'method', ['/event?a=1'], 'DELETE'),
  ...paths(405, 'method', ['/metrics', '/api/v1/scrapers', '/api/v1/events', '/healthz']),
];

/** How a request is framed and where it goes, before anybody reads its body. */
export const FRAMING: readonly Row[] = [...BROKEN, ...CUT, ...FLOODS, ...PATHS];
