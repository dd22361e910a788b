import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { negotiate } from '../../src/render/negotiate.ts';
import { render } from '../support/rendered.ts';
import { NORMAL_NAN_BITS, STALE_NAN_BITS, readProtobuf } from '../support/protobufReader.ts';
import { end, event, inLog } from './entries.ts';
import { CASES, OWN } from './formats.ts';

/*
 * `protobuf/*.good.txt` hold the bytes in hexadecimal, 32 on each line.
 * After `vitest -u` run it once more, as in text.test.ts.
 */
const fileOf = (name: string) => fileURLToPath(new URL(`protobuf/${name}.good.txt`, import.meta.url));
const names = Object.keys(CASES);
const MEDIA = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const PROTOBUF = negotiate(MEDIA);
const bodyOf = (name: string) => {
  const { entries, families, timed, escaping } = CASES[name] as (typeof CASES)[string];
  return render(negotiate(`${MEDIA};escaping=${escaping}`), entries, families, { timed });
};
const dump = (body: Uint8Array) => `${Buffer.from(body).toString('hex').replaceAll(/.{64}(?=.)/g, '$&\n')}\n`;
const undump = (text: string) => Buffer.from(text.replaceAll('\n', ''), 'hex');

describe('protobuf', () => {
  test.each(names)('writes %s as its golden file has it', async (name) => {
    await expect(dump(bodyOf(name))).toMatchFileSnapshot(fileOf(name));
  });

  test.each(names)('writes %s so that a strict reader accepts it', (name) => {
    const families = readProtobuf(undump(readFileSync(fileOf(name), 'utf8')));
    expect(families.length > 0).toBe(name !== 'nothing');
  });

  test('has a golden file for each case, and no other', () => {
    const files = readdirSync(fileURLToPath(new URL('protobuf', import.meta.url)));
    expect(files.sort()).toEqual(names.map((name) => `${name}.good.txt`).sort());
  });

  test('writes the 66 bytes that Prometheus was measured with, but for the help', () => {
    const measured = `
      41 0a 02 65 76 12 01 68 18 01
      22 1a 0a 06 0a 01 61 12 01 31 12 09 09 00 00 00 00 00 00 f0 3f 30 80 d0 95 ff bc 31
      22 1a 0a 06 0a 01 61 12 01 31 12 09 09 02 00 00 00 00 00 f0 7f 30 98 c5 96 ff bc 31`;
    const entries = inLog(event('ev', { a: '1' }, 1, 1_700_000_000_000), end('ev', { a: '1' }, 1_700_000_015_000));
    const body = Buffer.from(render(PROTOBUF, entries, [], { timed: true }));
    const metrics = body.subarray(body.indexOf(Buffer.from('1801', 'hex')));
    expect(metrics.toString('hex')).toBe(measured.replaceAll(/\s/g, '').slice('410a026576120168'.length));
    expect(readProtobuf(Buffer.from(measured.replaceAll(/\s/g, ''), 'hex'))[0]?.metrics).toEqual(
      readProtobuf(body)[0]?.metrics,
    );
  });

  test('ends a series with a stale marker, for which no NaN of an event is ever taken', () => {
    const strange = new DataView(new ArrayBuffer(8));
    strange.setBigUint64(0, 0x7f_f0_00_00_00_00_00_02n);
    const entries = inLog(
      event('a', {}, Number.NaN),
      event('a', {}, strange.getFloat64(0)),
      event('a', {}, -Number.NaN),
      end('a'),
    );
    const [family] = readProtobuf(render(PROTOBUF, entries, [], { timed: true }));
    expect(family?.metrics.map(({ bits }) => bits)).toEqual([
      NORMAL_NAN_BITS,
      NORMAL_NAN_BITS,
      NORMAL_NAN_BITS,
      STALE_NAN_BITS,
    ]);
  });

  test("holds the server's own metrics of all types", () => {
    const families = readProtobuf(render(PROTOBUF, [], OWN, { timed: true }));
    expect(families.map(({ name, type }) => `${name} ${type}`)).toEqual(OWN.map(({ name, type }) => `${name} ${type}`));
    expect(families.flatMap(({ metrics }) => metrics.map(({ time }) => time))).toEqual(Array(8).fill(undefined));
    expect(families[0]?.help).toBe(OWN[0]?.help);
    expect(families[4]?.metrics).toMatchObject([
      { labels: new Map([['kind', 'minor']]), distribution: { count: 3, sum: 2.5 } },
      { labels: new Map([['kind', 'major']]), distribution: { parts: [[0.5, 1], [1, 2], [Infinity, 3]] } },
    ]);
    expect(families[5]?.metrics[0]?.distribution).toEqual({ count: 3, sum: 4.5, parts: [[0.5, 0.25], [1, 1.5]] });
  });
});

describe('the strict reader', () => {
  const refusal = (hex: string) => () => readProtobuf(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

  test.each([
    ['a message that is cut', '05 0a 01 61'],
    ['a length without its end', '80'],
    ['a family without a name', '02 18 01'],
    ['a family without a type', '03 0a 01 61'],
    ['a field that it does not know', '05 0a 01 61 48 01'],
    ['a name twice', '08 0a 01 61 0a 01 61 18 01'],
    ['a metric without a value', '07 0a 01 61 18 01 22 00'],
    ['a family twice', '05 0a 01 61 18 01 05 0a 01 61 18 01'],
    ['a name that is no UTF-8', '05 0a 01 ff 18 01'],
  ])('refuses %s', (_what, hex) => {
    expect(refusal(hex)).toThrow(/cut|bounds|no name|known type|not expected|twice|no value|not valid/);
  });

  test('accepts a family without metrics', () => {
    expect(readProtobuf(Buffer.from('050a01611801', 'hex'))).toEqual([{ name: 'a', help: '', type: 'gauge', metrics: [] }]);
  });
});
