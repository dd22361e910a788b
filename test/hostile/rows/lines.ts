import type { Row } from '../row.ts';
import {
  CLOUD_EVENT,
  CLOUD_EVENTS,
  JSON_TYPE,
  MIB,
  NDJSON,
  broken,
  chunked,
  nested,
  post,
  send,
} from '../row.ts';

const lines = (
  name: string,
  body: () => string | Buffer,
  rest: Omit<Row, 'name' | 'bytes'>,
  query = '',
): Row => ({
  name: `NDJSON: ${name}`,
  bytes: () => send(`/event${query}`, NDJSON, body()),
  ...rest,
});

/** `application/x-ndjson`. */
export const NDJSON_ROWS: readonly Row[] = [
  lines('nothing', () => '', { status: 200 }),
  lines('a million blank lines', () => '\n'.repeat(MIB), { status: 200 }),
  lines('a NUL', () => '\0', { status: 400, field: '[0]' }),
  lines('lines that end in CR alone', () => '{}\r{}\r{}', { status: 400, field: '[0]' }),
  lines('an array of events', () => '[{},{}]\n', { status: 400, field: '[0]' }),
  lines('two events on a line', () => '{}{}\n', { status: 400, field: '[0]' }),
  lines('an event on two lines', () => '{\n}\n', { status: 400, field: '[0]' }),
  lines('a last line that is cut', () => '{}\n{"labels"', { status: 400, field: '[1]' }),
  lines('bytes that are no UTF-8 in one line', () => broken('{}\n{"labels":{"a":"', [0xff], '"}}\n{}'), {
    status: 400,
    field: '[1]',
  }),
  lines('UTF-16', () => Buffer.from('{}\n{}\n', 'utf16le'), { status: 400, field: '[0]' }),
  lines('__proto__ for a field', () => '{"__proto__":{"labels":{}}}\n', {
    status: 400,
    field: '[0].__proto__',
  }),
  lines('__proto__ for a label', () => '{}\n{"labels":{"__proto__":"x"}}\n', {
    status: 400,
    field: '[1].labels.__proto__',
  }),
  lines('a label twice', () => '{}\n{"labels":{"a":1,"a":2}}\n', { status: 400, field: '[1].labels.a' }),
  lines('a line 100,000 deep', () => `{}\n${nested(100_000)}\n`, { status: 400, field: '[1]' }),
  lines('a wrong one behind ten thousand', () => `${'{}\n'.repeat(10_000)}{"value":[]}\n`, {
    status: 400,
    field: '[10000].value',
  }),
  lines('a line of a byte more than a MiB', () => `{}\n${' '.repeat(MIB + 1)}\n`, {
    status: 413,
    field: 'body',
  }),
  lines('one event more than a batch may have', () => '{}\n'.repeat(100_001), { status: 413, field: 'body' }),
  lines(
    'wrong ones without an end, partial',
    () => 'x\n'.repeat(100_001),
    { status: 413, field: 'body' },
    '?partial=true',
  ),
  lines(
    'a hundred wrong ones and one that is right',
    () => `${'x\n'.repeat(100)}{}`,
    { status: 200, stored: 1 },
    '?partial=true',
  ),
  lines('a charset that is another', () => '{}', { status: 400, field: 'partial' }, '?partial=maybe'),
  {
    name: 'NDJSON: in UTF-16, as it says itself',
    bytes: () => send('/event', `${NDJSON}; charset=utf-16`, '{}'),
    status: 415,
    field: 'Content-Type',
  },
  {
    name: 'NDJSON: a chunk for each byte, and a wrong one at the end',
    bytes: () => chunked('/event', NDJSON, '{}\n{"labels":{"a":"1"}}\n{"value":"x"}\n'.split('')),
    status: 400,
    field: '[2].value',
  },
  {
    name: 'NDJSON: chunks that end before they are all there',
    bytes: () => chunked('/event', NDJSON, ['{}\n{}\n'], {}, ''),
    status: 400,
    ends: true,
  },
  {
    name: 'NDJSON: a broken chunk behind good ones',
    bytes: () => chunked('/event', NDJSON, ['{}\n', '{}\n'], {}, 'zz\r\n'),
    status: 400,
  },
];

const EVENT = { specversion: '1.0', type: 't', source: '/s', id: '1' };
const structured = (change: object): string => JSON.stringify({ ...EVENT, ...change });

type Case = readonly [name: string, body: () => string | Buffer, field: string];

const STRUCTURED: readonly Case[] = [
  ['nothing', () => '', 'body'],
  ['an array', () => '[]', 'body'],
  ['nothing in it', () => '{}', 'specversion'],
  ['a version of tomorrow', () => structured({ specversion: '2.0' }), 'specversion'],
  ['a version that is a number', () => structured({ specversion: 1 }), 'specversion'],
  ['a version that is null', () => structured({ specversion: null }), 'specversion'],
  ['no id', () => structured({ id: undefined }), 'id'],
  ['an empty id', () => structured({ id: '' }), 'id'],
  ['an id that is an object', () => structured({ id: {} }), 'id'],
  ['an id with a line break', () => structured({ id: 'a\nb' }), 'id'],
  ['an id without an end', () => structured({ id: 'i'.repeat(MIB / 2) }), 'id'],
  ['no source', () => structured({ source: undefined }), 'source'],
  ['a source that is an array', () => structured({ source: ['/s'] }), 'source'],
  ['a source without an end', () => structured({ source: 's'.repeat(MIB / 2) }), 'source'],
  ['no type', () => structured({ type: undefined }), 'type'],
  [
    'a type of half a character',
    () => '{"specversion":"1.0","type":"\\ud800","source":"/s","id":"1"}',
    'type',
  ],
  ['a subject that is a number', () => structured({ subject: 1 }), 'subject'],
  ['a time that is none', () => structured({ time: 'yesterday' }), 'time'],
  ['a time that is a number', () => structured({ time: 1 }), 'time'],
  ['data twice', () => structured({ data: {}, data_base64: 'e30=' }), 'data_base64'],
  ['data that is no base64', () => structured({ data_base64: '***' }), 'data_base64'],
  ['data in base64 that is no JSON', () => structured({ data_base64: 'fQ==' }), 'body'],
  ['data in base64 that is no UTF-8', () => structured({ data_base64: '/////w==' }), 'data_base64'],
  [
    'data in base64 that is too deep',
    () => structured({ data_base64: Buffer.from(nested(1000)).toString('base64') }),
    'body',
  ],
  ['data that is a label, and an object', () => structured({ data: { env: {} } }), 'data/env'],
  ['data that is a value, and none', () => structured({ data: { seconds: 'many' } }), 'value'],
  [
    'data whose label has half a character',
    () => `${structured({}).slice(0, -1)},"data":{"env":"\\udfff"}}`,
    'env',
  ],
  [
    'an attribute twice',
    () => '{"specversion":"1.0","specversion":"1.0","type":"t","source":"/s","id":"1"}',
    'specversion',
  ],
  ['data 100,000 deep', () => `${structured({}).slice(0, -1)},"data":${nested(100_000)}}`, 'body'],
];

const binary = (name: string, headers: Record<string, string>, field: string): Row => ({
  name: `CloudEvent in headers: ${name}`,
  bytes: () =>
    post('/event', { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': '1', ...headers }),
  status: 400,
  field,
});

/** CloudEvents in all three modes. */
export const CLOUD_EVENT_ROWS: readonly Row[] = [
  ...STRUCTURED.map(([name, body, field]): Row => ({
    name: `CloudEvent: ${name}`,
    bytes: () => send('/event', CLOUD_EVENT, body()),
    status: 400,
    field,
  })),
  ...(
    [
      ['an object', () => structured({}), 'body'],
      ['numbers without an end', () => `[${'1,'.repeat(MIB / 2 - 2)}1]`, '[0]'],
      [
        'a second that is wrong',
        () => `[${structured({ id: '77' })},{"__proto__":${structured({})}}]`,
        '[1].specversion',
      ],
    ] as const
  ).map(([name, body, field]): Row => ({
    name: `CloudEvents: ${name}`,
    bytes: () => send('/event', CLOUD_EVENTS, body()),
    status: 400,
    field,
  })),
  binary('a version that is none', { 'ce-specversion': 'x' }, 'ce-specversion'),
  binary('an empty id', { 'ce-id': '' }, 'ce-id'),
  binary('an escape that is cut', { 'ce-id': '%4' }, 'ce-id'),
  binary('an escape that is no UTF-8', { 'ce-source': '%ff' }, 'ce-source'),
  binary('a byte beyond ASCII', { 'ce-type': '\u00fc' }, 'ce-type'),
  binary('a line break by an escape', { 'ce-id': 'a%0ab' }, 'ce-id'),
  binary('a time that is none', { 'ce-time': 'soon' }, 'ce-time'),
  binary('an attribute twice', { 'ce-id': '1', 'CE-ID': '2' }, 'ce-id'),
  {
    name: 'CloudEvent in headers: data that is no JSON',
    bytes: () =>
      send('/event', JSON_TYPE, '{"env":', {
        'ce-specversion': '1.0',
        'ce-type': 't',
        'ce-source': '/s',
        'ce-id': '9',
      }),
    status: 400,
    field: 'body',
  },
  {
    name: 'CloudEvent: in another format',
    bytes: () => send('/event', 'application/cloudevents+avro', 'x', { 'ce-specversion': '1.0' }),
    status: 415,
    field: 'Content-Type',
  },
];
