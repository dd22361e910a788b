import { describe, expect, it } from 'vitest';
import { parseJson } from '../json.ts';
import { compileMapping } from './compile.ts';
import type { MappingSource } from './language.ts';
import { mapBody } from './map.ts';
import { leftOf, LIMITS, map, runWith } from '../../../test/support/mapped.ts';

describe('value, time and id', () => {
  it('are taken from the body', () => {
    expect(
      map({ value: ['/a', '/b'], time: '/at', id: '{/x}-{/y}' }, { b: '2.5', at: 5, x: 'u', y: 7 }),
    ).toEqual([{ labels: [], value: '2.5', timestamp: '1970-01-01T00:00:05.000Z', id: 'u-7', idSpace: 'w' }]);
    expect(map({ value: { const: 0 } }, {})).toEqual([{ labels: [], value: 0 }]);
    expect(map({ value: '/none' }, {})).toEqual([{ labels: [] }]);
  });

  it.each([
    ['s', 1_795_521_600, '2026-11-24T12:00:00.000Z'],
    ['s', '1795521600.25', '2026-11-24T12:00:00.250Z'],
    ['s', 60, '1970-01-01T00:01:00.000Z'],
    ['ms', 1_795_521_600_123, '2026-11-24T12:00:00.123Z'],
    ['ms', 60, '1970-01-01T00:00:00.060Z'],
    ['s', '1e9', '2001-09-09T01:46:40.000Z'],
    ['s', '1795521600.001', '2026-11-24T12:00:00.001Z'],
    ['rfc3339', '2026-11-24 12:00:00 UTC', '2026-11-24T12:00:00.000Z'],
    ['rfc3339', '2026-11-24 14:00:00 +0200', '2026-11-24T12:00:00.000Z'],
    ['rfc3339', '2026-11-24T14:00:00+0200', '2026-11-24T12:00:00.000Z'],
    ['rfc3339', '2026-11-24 14:00:00.5+02', '2026-11-24T12:00:00.500Z'],
    ['rfc3339', '2026-11-24 14:00:00,123 +0200 CEST', '2026-11-24T12:00:00.123Z'],
    ['rfc3339', '2026-11-24T12:00Z', '2026-11-24T12:00:00.000Z'],
    ['auto', '2026-11-24T12:00:00Z', '2026-11-24T12:00:00.000Z'],
    ['auto', '2018-07-05T19:33:20+0000', '2018-07-05T19:33:20.000Z'],
    ['auto', '1.796009617E9', '2026-11-30T03:33:37.000Z'],
    ['auto', 1_795_521_600_123, '2026-11-24T12:00:00.123Z'],
    ['auto', ' 2026-11-24T12:00:00Z\n', '2026-11-24T12:00:00.000Z'],
  ] as const)('a time in %s, %j, is %s', (unit, at, timestamp) => {
    expect(map({ time: { from: '/at', unit } }, { at })).toEqual([{ labels: [], value: 1, timestamp }]);
  });

  it('a time that senders write for none is none, and the next is looked at', () => {
    const time = [
      { from: '/a', unit: 'ms' },
      { from: '/b', unit: 'rfc3339' },
      { from: '/c', unit: 's' },
    ] as const;
    expect(map({ time }, { a: 0, b: '0001-01-01T00:00:00Z', c: 1 })).toEqual([
      { labels: [], value: 1, timestamp: '1970-01-01T00:00:01.000Z' },
    ]);
    expect(map({ time }, {})).toEqual([{ labels: [], value: 1 }]);
  });

  it.each(['noon', '-1', '1e-9', '999999999999999', 'Infinity', '2026-11-24T12:00:00Z'])(
    'a time in seconds that is %s costs the time, and not the event',
    (at) => {
      const source: MappingSource = { time: { from: '/at', unit: 's' } };
      expect(map(source, { at })).toEqual([{ labels: [], value: 1 }]);
      expect(leftOf(source, { at })).toEqual([
        ['time', expect.stringContaining('is not a time in Unix seconds') as string],
      ]);
    },
  );

  it.each([{}, [], '<no value>', 'noon', '2026-11-24', '2026-02-30T00:00:00Z', '2026-11-24T12:00:00', true])(
    'a time that is %j costs the time, and not the event',
    (at) => {
      expect(map({ time: '/at' }, { at })).toEqual([{ labels: [], value: 1 }]);
      expect(leftOf({ time: '/at' }, { at })).toHaveLength(1);
    },
  );

  it('a time that can not be read is none, and the next is looked at', () => {
    expect(map({ time: ['/a', '/b'] }, { a: 'noon', b: 60 })).toMatchObject([
      { timestamp: '1970-01-01T00:01:00.000Z' },
    ]);
    expect(leftOf({ time: ['/a', '/b'] }, { a: 'noon', b: 60 })).toEqual([]);
  });

  it.each([
    ['utc', '2026-11-30 03:33:35.123', '2026-11-30T03:33:35.123Z'],
    ['UTC', '2026-11-30T03:33', '2026-11-30T03:33:00.000Z'],
    ['+05:30', '2026-11-30 09:03:35.123', '2026-11-30T03:33:35.123Z'],
    ['-08:00', '2026-11-29 19:33:35,123', '2026-11-30T03:33:35.123Z'],
    ['+05:30', '2026-11-30 03:33:35.123Z', '2026-11-30T03:33:35.123Z'],
    ['+05:30', 1_795_521_600, '2026-11-24T12:00:00.000Z'],
  ])('a time without a zone is of the zone %s: %j is %s', (zone, at, timestamp) => {
    expect(map({ time: { from: '/at', zone } }, { at })).toMatchObject([{ timestamp }]);
  });

  it('a time without a zone is told with the remedy', () => {
    expect(leftOf({ time: '/at' }, { at: '2026-11-30 03:33:35.123' })).toEqual([
      ['time', expect.stringMatching(/has no time zone: add "zone" to the mapping's time$/) as string],
    ]);
  });

  it('a time is looked at only where its conditions hold', () => {
    const time = { from: '/at', when: { '/action': ['made'] } };
    expect(map({ time }, { at: 60, action: 'made' })).toMatchObject([
      { timestamp: '1970-01-01T00:01:00.000Z' },
    ]);
    expect(map({ time }, { at: 60, action: 'unmade' })).toEqual([{ labels: [], value: 1 }]);
    expect(leftOf({ time }, { at: 'noon' })).toEqual([]);
  });

  it('an id is the first whose parts are all there; there may be none', () => {
    const id = ['{header:X-Id}', '{/a}:{/b}'];
    expect(map({ id }, { a: 1, b: 2 }, { headers: { 'x-id': 'h' } })).toMatchObject([{ id: 'h' }]);
    expect(map({ id }, { a: 1, b: 2 })).toMatchObject([{ id: '1:2' }]);
    expect(map({ id }, { a: 1, b: {} })).toEqual([{ labels: [], value: 1 }]);
  });

  it('an id may be the digest of all of an event, or of a part', () => {
    const ids = (document: unknown, id = '{digest:}') => map({ id }, document)[0];
    expect(ids({ a: 1, b: [2] })).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
    expect(ids({ b: [2], a: 1 })).toEqual(ids({ a: 1, b: [2] }));
    expect(ids({ a: 1, b: [3] })).not.toEqual(ids({ a: 1, b: [2] }));
    expect(ids({ a: { x: 1 }, b: 1 }, '{digest:/a}')).toEqual(ids({ a: { x: 1 }, b: 2 }, '{digest:/a}'));
    expect(ids({ b: 1 }, '{digest:/a}')).toEqual({ labels: [], value: 1 });
  });

  it.each(['x'.repeat(500), 'two\nlines', 'ü'.repeat(40)])(
    'an id that can not be taken is known by its fingerprint, which its last character changes: %j',
    (begin) => {
      const ids = ['a', 'b'].map((end) => map({ id: '{/id}' }, { id: begin + end }));
      expect(ids[0]).toMatchObject([{ id: expect.stringMatching(/^[0-9a-f]{16}$/) as string }]);
      expect(ids[0]).not.toEqual(ids[1]);
    },
  );

  it('a long number keeps all its digits', () => {
    const mapping = compileMapping(
      'webhooks.w',
      { id: '{/id}' },
      { limits: LIMITS, names: 'legacy', reserved: () => false },
    );
    const delivery = { document: parseJson('{"id":9007199254740993}'), headers: () => undefined };
    expect([...mapBody(mapping, delivery, runWith())]).toMatchObject([{ id: '9007199254740993' }]);
  });
});
