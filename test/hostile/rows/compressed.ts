import { brotliCompressSync, deflateSync } from 'node:zlib';
import type { Row } from '../row.ts';
import { FORM, GZIP, JSON_TYPE, MIB, NDJSON, chunked, gzipped, send } from '../row.ts';

const DOORS = [
  ['a form', '/event', FORM, 'a=1', ''],
  ['JSON', '/event', JSON_TYPE, '{"labels":{"a":"1"}}', ''],
  ['NDJSON', '/event', NDJSON, '{}\n{}\n', ''],
  ['a webhook', '/webhook/argocd', JSON_TYPE, '{"app":"shop"}', ''],
  ['an alert', '/api/v2/alerts', JSON_TYPE, '[{"labels":{"a":"b"}}]', ''],
  ['an annotation', '/api/annotations', JSON_TYPE, '{"text":"x"}', ''],
] as const;

type Spoil = readonly [how: string, spoil: (good: Buffer, text: string) => Buffer, status: number];

const SPOILS: readonly Spoil[] = [
  ['that is cut', (good) => good.subarray(0, -5), 400],
  ['that is cut in its head', (good) => good.subarray(0, 4), 400],
  ['that is none', (_good, text) => Buffer.from(text), 400],
  ['with a wrong checksum', (good) => Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]), 400],
  ['with something behind it', (good, text) => Buffer.concat([good, Buffer.from(text)]), 400],
  ['compressed twice', (good) => gzipped(good), 400],
];

const spoiled = DOORS.flatMap(([what, path, type, text]) =>
  SPOILS.map(([how, spoil, status]): Row => ({
    name: `gzip of ${what} ${how}`,
    bytes: () => send(path, type, spoil(gzipped(text), text), GZIP),
    status,
    field:
      what === 'NDJSON' && how === 'compressed twice'
        ? '[0]'
        : how === 'compressed twice' && what === 'a form'
          ? 'body'
          : 'body',
  })),
);

const bombs = DOORS.map(([what, path, type]): Row => ({
  name: `gzip of ${what} that is a bomb`,
  bytes: () => send(path, type, gzipped(Buffer.alloc(64 * MIB, 0x20)), GZIP),
  status: 413,
  field: 'body',
}));

const codings = (
  [
    ['deflate', deflateSync('{}')],
    ['br', brotliCompressSync('{}')],
    ['gzip, gzip', gzipped(gzipped('{}'))],
    ['identity, gzip', gzipped('{}')],
    ['x'.repeat(10_000), Buffer.from('{}')],
    ['__proto__', Buffer.from('{}')],
  ] as const
).map(([coding, body]): Row => ({
  name: `a body in ${coding.slice(0, 20)}`,
  bytes: () => send('/event', JSON_TYPE, body, { 'Content-Encoding': coding }),
  status: 415,
  field: 'Content-Encoding',
}));

/** Bodies in `Content-Encoding`. */
export const COMPRESSED: readonly Row[] = [
  ...spoiled,
  ...bombs,
  ...codings,
  {
    name: 'gzip of a byte more than a MiB',
    bytes: () => send('/event', JSON_TYPE, gzipped(`{}${' '.repeat(MIB - 1)}`), GZIP),
    status: 413,
    field: 'body',
  },
  {
    name: 'gzip of a bomb in chunks',
    bytes: () => chunked('/event', NDJSON, [gzipped(Buffer.alloc(64 * MIB, 0x0a))], GZIP),
    status: 413,
    field: 'body',
  },
  {
    name: 'gzip of nothing',
    bytes: () => send('/event', JSON_TYPE, gzipped(''), GZIP),
    status: 400,
    field: 'body',
  },
  {
    name: 'gzip of ten thousand members, each of nothing',
    bytes: () =>
      send('/event', JSON_TYPE, Buffer.concat(Array.from({ length: 10_000 }, () => gzipped(''))), GZIP),
    status: 400,
    field: 'body',
  },
  {
    name: 'gzip that is cut by the end of the connection',
    bytes: () =>
      send('/event', NDJSON, gzipped('{}\n'.repeat(100)).subarray(0, 20), {
        ...GZIP,
        'Content-Length': '5000',
      }),
    status: 400,
    ends: true,
  },
];
