import type { Headers, Row } from '../row.ts';
import { FORM, JSON_TYPE, KIB, MIB, ask, post, send } from '../row.ts';

/** What the server under test knows: `alicesecret` at the least cost there is, and three tokens. */
export interface Known {
  readonly writer: string;
  readonly reader: string;
}

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** The headers that are none of those that let somebody in. */
const UNREADABLE: readonly (readonly [name: string, value: string])[] = [
  ['nothing', ''],
  ['blanks', '   '],
  ['a scheme and no more', 'Bearer'],
  ['a scheme and a blank', 'Bearer '],
  ['a scheme that nobody knows', 'Negotiate abc'],
  ['Digest', 'Digest username="alice"'],
  ['a token without a scheme', 'abc'],
  ['two tokens', 'Bearer a b'],
  ['a token with a comma', 'Bearer a,b'],
  ['a token of bytes beyond ASCII', 'Bearer \u00fc\u00ff'],
  ['Basic with nothing', 'Basic '],
  ['Basic that is no base64', 'Basic ***'],
  ['Basic without a colon', basic('alice')],
  ['Basic with a NUL before its colon, and no colon', basic('a\0b')],
  ['20 KiB of blanks', `Bearer${' '.repeat(20 * KIB)}`],
  ['20 KiB of equals signs', `Basic ${'='.repeat(20 * KIB)}`],
];

const REFUSED: readonly (readonly [name: string, value: string])[] = [
  ['a token that is not known', 'Bearer oneshot_x'],
  ['a token of 20 KiB', `Bearer ${'x'.repeat(20 * KIB)}`],
  ['a token that is __proto__', 'Bearer __proto__'],
  ['a user who is __proto__', basic('__proto__:x')],
  ['a user who is constructor', basic('constructor:x')],
  ['no user and no password', basic(':')],
  ['a user without a password', basic('alice:')],
  ['a wrong password', basic('alice:wrong')],
  ['a right password and a NUL', basic('alice:alicesecret\0')],
  ['a right password and more', basic(`alice:alicesecret${'x'.repeat(KIB)}`)],
  ['a password of 15 KiB', basic(`alice:${'x'.repeat(15 * KIB)}`)],
  ['bytes that are no UTF-8', basic(Buffer.from([0xff, 0x3a, 0xfe]))],
  ['a user in capitals', basic('ALICE:alicesecret')],
];

const DOORS = [
  '/event?a=1',
  '/webhook/argocd',
  '/api/v2/alerts',
  '/api/annotations',
  '/webhook/batches',
] as const;

const denied = (name: string, bytes: () => Buffer, status = 401): Row => ({
  name,
  bytes,
  status,
  field: 'Authorization',
});

/** Requests to a server that lets in few. */
export const authRows = ({ writer, reader }: Known): readonly Row[] => {
  const asWriter: Headers = { Authorization: `Bearer ${writer}` };
  const asReader: Headers = { Authorization: `Bearer ${reader}` };
  return [
    ...[...UNREADABLE, ...REFUSED].map(([name, value]) =>
      denied(`Authorization: ${name}`, () => post('/event?a=1', { Authorization: value })),
    ),
    ...DOORS.flatMap((path) => [
      denied(`POST ${path} with nothing`, () => send(path, JSON_TYPE, '{"app":"x"}')),
      denied(
        `POST ${path} with a token that may only scrape`,
        () => send(path, JSON_TYPE, '{"app":"x"}', asReader),
        403,
      ),
      denied(`POST ${path} with a body of a MiB and nothing`, () => send(path, JSON_TYPE, ' '.repeat(MIB))),
    ]),
    denied('a scrape with nothing', () => ask('/metrics')),
    denied('a scrape with a token that may only write', () => ask('/metrics', asWriter), 403),
    denied('a look with nothing', () => ask('/metrics?peek=true')),
    denied('the feed with a token that may only write', () => ask('/api/v1/events', asWriter), 403),
    denied(
      'a scraper forgotten by one who may only scrape',
      () => ask('/api/v1/scrapers/a', asReader, 'DELETE'),
      403,
    ),
    denied('a path that is not there, with nothing', () => ask('/nothing')),
    denied('a path by a detour, with nothing', () => post('//event?a=1')),
    denied('a whole address for a path, with nothing', () => post('http://test/event?a=1')),
    denied('another method, with nothing', () => ask('/event', {}, 'PUT')),
    {
      name: 'a right token given second',
      bytes: () => post('/event?a=1', { Authorization: 'Bearer x', authorization: `Bearer ${writer}` }),
      status: 400,
      field: 'Authorization',
    },
    denied('a right token in the URL', () => post(`/event?access_token=${writer}`)),
    denied('a right token in a cookie', () => post('/event?a=1', { Cookie: `Authorization=${writer}` })),
    denied('a right token in X-Forwarded-Authorization', () =>
      post('/event?a=1', { 'X-Forwarded-Authorization': `Bearer ${writer}` }),
    ),
    denied('a user by a header of a proxy', () =>
      post('/event?a=1', { 'X-Forwarded-User': 'alice', 'Remote-User': 'alice' }),
    ),
    denied('a right token cut by one', () =>
      post('/event?a=1', { Authorization: `Bearer ${writer.slice(0, -1)}` }),
    ),
    {
      name: 'a right token, and a body that is wrong',
      bytes: () => send('/event', FORM, 'a-b=1', asWriter),
      status: 400,
      field: 'a-b',
    },
    {
      name: 'a webhook with a secret of its own, and a right token in its place',
      bytes: () => send('/webhook/builds', JSON_TYPE, '{}', asWriter),
      status: 401,
      field: 'X-Signature',
    },
  ];
};
