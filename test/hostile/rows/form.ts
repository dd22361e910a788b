import type { Row } from '../row.ts';
import { FORM, KIB, MIB, broken, post, send } from '../row.ts';

type Case = readonly [name: string, query: string, field: string];

/** The same is refused in a URL and in a form. */
const PARAMETERS: readonly Case[] = [
  ['a name that is __proto__', '__proto__=1', '__proto__'],
  ['a label that is constructor, twice', 'constructor=1&constructor=2', 'constructor'],
  ['a name that begins with __', '__x=1', '__x'],
  ['a name that is NUL', '%00=1', '\0'],
  ['a name with a NUL in it', 'a%00b=1', 'a\0b'],
  ['a name with a line break', 'a%0Ab=1', 'a\nb'],
  ['a name in another script', '%C3%BC=1', 'ü'],
  ['a name that looks like a, in Cyrillic', '%D0%B0=1', 'а'],
  ['a name with a brace', 'a%7D=1', 'a}'],
  ['a name with a quote', 'a%22=1', 'a"'],
  ['a name that a space makes another', 'a%20b=1&a+b=2', 'a b'],
  ['a name of 257 bytes', `${'n'.repeat(257)}=1`, `${'n'.repeat(64)}…`],
  ['a parameter as an array', 'a[]=1', 'a[]'],
  ['a parameter as an object', 'a[__proto__][x]=1', 'a[__proto__][x]'],
  ['a surrogate, percent-encoded', 'a=%ED%A0%80', 'a'],
  ['an overlong form of a slash', 'a=%C0%AF', 'a'],
  ['a byte that is no UTF-8', 'a=%FF', 'a'],
  ['a character that is cut', 'a=%E2%82', 'a'],
  ['a code point beyond the last', 'a=%F4%90%80%80', 'a'],
  ['an escape that is cut', 'a=%4', 'a'],
  ['an escape that is none', 'a=%u00e9', 'a'],
  ['a value in hexadecimal digits', 'value=0x10', 'value'],
  ['a value with an underscore', 'value=1_000', 'value'],
  ['a value with a comma', 'value=1,5', 'value'],
  ['a value with blanks', 'value=+1', 'value'],
  ['a value that is true', 'value=true', 'value'],
  ['a value of digits from another script', 'value=%D9%A1', 'value'],
  ['a value beyond a float64', 'value=-1e309', 'value'],
  ['a value of a thousand digits beyond it', `value=${'9'.repeat(1000)}`, 'value'],
  ['a value that would take a poor pattern for ever', `value=${'1'.repeat(3000)}x`, 'value'],
  ['a value twice', 'value=1&value=2', 'value'],
  ['a time that is a day', '__timestamp__=2026-11-24', '__timestamp__'],
  ['a time without a zone', '__timestamp__=2026-11-24T12:00:00', '__timestamp__'],
  ['a thirtieth of February', '__timestamp__=2026-02-30T12:00:00Z', '__timestamp__'],
  ['an hour that is none', '__timestamp__=2026-11-24T25:00:00Z', '__timestamp__'],
  ['a time below zero', '__timestamp__=-1', '__timestamp__'],
  ['a time of sixteen digits', '__timestamp__=1795521570123000', '__timestamp__'],
  ['a time that is infinite', '__timestamp__=Infinity', '__timestamp__'],
  ['an id that is empty', '__id__=', '__id__'],
  ['an id of 257 bytes', `__id__=${'i'.repeat(257)}`, '__id__'],
  ['an id with a line break', '__id__=a%0Ab', '__id__'],
  ['an id twice', '__id__=a&__id__=b', '__id__'],
  ["a name of Prometheus' own", '__name__=up', '__name__'],
  ["a name of this server's own", '__name__=process_cpu_seconds_total', '__name__'],
  ['a metric that is empty', '__name__=', '__name__'],
  ['a metric with a line break, and a sample behind it', '__name__=a%201%0Ab', '__name__'],
  ['twenty-one labels', Array.from({ length: 21 }, (_, i) => `l${i}=1`).join('&'), 'labels'],
];

const inBoth = PARAMETERS.flatMap(([name, query, field]): Row[] => [
  { name: `${name}, in a URL`, bytes: () => post(`/event?${query}`), status: 400, field },
  { name: `${name}, in a form`, bytes: () => send('/event', FORM, query), status: 400, field },
]);

const form = (name: string, body: () => string | Buffer, rest: Omit<Row, 'name' | 'bytes'>): Row => ({
  name,
  bytes: () => send('/event', FORM, body()),
  ...rest,
});

/** Forms and URLs. */
export const FORMS: readonly Row[] = [
  ...inBoth,
  form('raw bytes that are no UTF-8', () => broken('a=', [0xff, 0xfe], ''), { status: 400, field: 'body' }),
  form('UTF-16', () => Buffer.from('\uFEFFa=1', 'utf16le'), { status: 400, field: 'body' }),
  form('nothing but NULs', () => Buffer.alloc(KIB), { status: 400, field: `${'\0'.repeat(64)}…` }),
  form('a value without a name', () => '=1', { status: 400, field: 'body' }),
  form('ten thousand parameters', () => 'a=&'.repeat(10_000), { status: 400, field: 'body' }),
  form('a million separators', () => '&'.repeat(MIB), { status: 200, stored: 1 }),
  form('a MiB of escapes', () => `a=${'%41'.repeat(MIB / 3 - 1)}`, { status: 400, field: 'a' }),
  form('a MiB that is one name', () => 'n'.repeat(MIB), { status: 400, field: `${'n'.repeat(64)}…` }),
  form('a byte more than a MiB', () => `a=${'x'.repeat(MIB - 1)}`, { status: 413, field: 'body' }),
  form('a MiB of broken escapes', () => `a=${'%'.repeat(MIB - 2)}`, { status: 400, field: 'a' }),
  form('JSON that says it is a form', () => '{"labels":{"a":"1"}}', {
    status: 415,
    field: 'Content-Type',
  }),
  form('an exposition', () => 'a 1\nb 2\n', { status: 400, field: 'a 1\nb 2\n' }),
  {
    name: 'raw bytes of UTF-8 in a URL, which many send',
    bytes: () =>
      Buffer.concat([
        Buffer.from('POST /event?a='),
        Buffer.from([0xff]),
        Buffer.from(' HTTP/1.1\r\nHost: t\r\n\r\n'),
      ]),
    status: 400,
  },
  {
    name: 'a name in the URL and in the body',
    bytes: () => send('/event?a=1', FORM, 'a=2'),
    status: 400,
    field: 'a',
  },
  {
    name: 'a body of no type',
    bytes: () => send('/event', undefined, 'a=1'),
    status: 415,
    field: 'Content-Type',
  },
  {
    name: 'a body of an empty type',
    bytes: () => send('/event', '', 'a=1'),
    status: 415,
    field: 'Content-Type',
  },
  {
    name: 'a form in parts',
    bytes: () => send('/event', 'multipart/form-data; boundary=x', '--x--'),
    status: 415,
    field: 'Content-Type',
  },
  {
    name: 'a type of a hundred thousand blanks and semicolons',
    bytes: () => send('/event', `${FORM}${'; '.repeat(10 * KIB)}x`, 'a=1'),
    status: 200,
    stored: 1,
  },
  {
    name: 'a key that is not ASCII',
    bytes: () => post('/event?a=1', { 'Idempotency-Key': '\u00fc' }),
    status: 400,
    field: 'Idempotency-Key',
  },
  {
    name: 'a key that is empty',
    bytes: () => post('/event?a=1', { 'Idempotency-Key': '' }),
    status: 400,
    field: 'Idempotency-Key',
  },
  {
    name: 'a key of 257 bytes',
    bytes: () => post('/event?a=1', { 'Idempotency-Key': 'k'.repeat(257) }),
    status: 400,
    field: 'Idempotency-Key',
  },
  {
    name: 'a key given twice, as one name in two cases',
    bytes: () => post('/event?a=1', { 'Idempotency-Key': 'a', 'idempotency-key': 'b' }),
    status: 400,
    field: 'Idempotency-Key',
  },
  {
    name: 'a key of backslashes without an end',
    bytes: () => post('/event?a=1', { 'Idempotency-Key': `"${'\\'.repeat(20 * KIB)}` }),
    status: 400,
    field: 'Idempotency-Key',
  },
];
