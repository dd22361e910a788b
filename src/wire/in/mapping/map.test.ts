import { describe, expect, it } from 'vitest';
import type { EventNames } from '../../../core/labels.ts';
import { parseJson } from '../json.ts';
import { compileMapping } from './compile.ts';
import type { MappingSource } from './language.ts';
import { mapDelivery } from './map.ts';

const LIMITS = {
  labelsMax: 64,
  labelNameBytesMax: 256,
  labelValueBytesMax: 4096,
  seriesBytesMax: 8192,
  idBytesMax: 64,
};

/** What a mapping makes of a body: of each item its draft, or the text of why it was refused, or null where it is of no kind. */
function map(
  source: MappingSource,
  document: unknown,
  { headers = {}, names = 'legacy' }: { headers?: Record<string, string>; names?: EventNames } = {},
) {
  const mapping = compileMapping('webhooks.w', source, { limits: LIMITS, names, reserved: () => false });
  const run = { idSpace: 'w', idBytesMax: 64, names, eventsMax: 3 };
  const mapped = mapDelivery(
    mapping,
    { document: parseJson(JSON.stringify(document)), headers: (name) => headers[name] },
    run,
  );
  return Array.from(mapped, ({ draft, refusal }) => draft ?? refusal?.message ?? null);
}

/** The labels of the only event. */
function labels(
  source: MappingSource['labels'],
  document: unknown,
  more: Partial<MappingSource> = {},
): object {
  const [draft] = map({ ...more, ...(source && { labels: source }) }, document);
  if (draft === null || typeof draft !== 'object') throw new Error(String(draft));
  return Object.fromEntries(draft.labels);
}

describe('labels', () => {
  it('come from the body and from headers, and are constants', () => {
    expect(
      map(
        { labels: { a: '/x/0', b: 'header:X-Event', c: { const: 'k' } } },
        { x: [true] },
        { headers: { 'x-event': 'push' } },
      ),
    ).toEqual([
      {
        labels: [
          ['a', 'true'],
          ['b', 'push'],
          ['c', 'k'],
        ],
        value: 1,
      },
    ]);
  });

  it('are left out where there is nothing, unless they have a default', () => {
    const source = { a: '/a', b: '/b', c: '/c', d: { from: '/d', default: 'none' } };
    expect(labels(source, { a: null, b: '' })).toEqual({ d: 'none' });
  });

  it('take the first of several references that has a text', () => {
    expect(labels({ a: { from: ['/x', '/y', '/z'] } }, { x: {}, y: 'y', z: 'z' })).toEqual({ a: 'y' });
    expect(labels({ a: { from: ['/x', '/x/name'] } }, { x: { name: 'n' } })).toEqual({ a: 'n' });
  });

  it('beyond an allow-list become other, after they were transformed', () => {
    const source = { env: { from: '/env', as: ['lower'], allow: ['prod', 'test'] } } as const;
    expect(labels(source, { env: 'PROD' })).toEqual({ env: 'prod' });
    expect(labels(source, { env: 'prod-7f3a' })).toEqual({ env: 'other' });
    expect(labels(source, {})).toEqual({});
  });

  it.each([
    ['lower', 'ÄbC', 'äbc'],
    ['trim', ' \ta ', 'a'],
    ['first-line', 'one\r\ntwo', 'one'],
    ['first-segment', 'acme/shop/x', 'acme'],
    ['first-segment', 'acme', 'acme'],
    ['last-segment', 'https://git.example/acme/shop', 'shop'],
    ['ref-name', 'refs/heads/feature/a', 'feature/a'],
    ['ref-name', 'refs/tags/v1', 'v1'],
    ['ref-name', 'main', 'main'],
    ['ref-type', 'refs/heads/a', 'branch'],
    ['ref-type', 'refs/tags/v1', 'tag'],
    ['ref-type', 'refs/pull/1/head', 'other'],
    ['short-sha', '0123456789abcdef0123456789abcdef01234567', '0123456'],
    ['short-sha', 'main@sha1:0123456789abcdef0123456789abcdef01234567', '0123456'],
    ['short-sha', `sha256:${'ab'.repeat(32)}`, 'abababa'],
    ['short-sha', 'v1.2.3', 'v1.2.3'],
  ] as const)('transformed by %s: %j becomes %j', (transform, text, result) => {
    expect(labels({ a: { from: '/a', as: [transform] } }, { a: text })).toEqual({ a: result });
  });

  it('are cut at their length, and never through a character', () => {
    expect(labels({ a: { from: '/a', max: 3 } }, { a: 'ab🚀' })).toEqual({ a: 'ab' });
    expect(labels({ a: { from: '/a', max: 4 } }, { a: 'ab🚀c' })).toEqual({ a: 'ab🚀' });
    expect(labels({ a: '/a' }, { a: 'x'.repeat(500) })).toEqual({ a: 'x'.repeat(128) });
  });

  it('are refused where an object or an array stands', () => {
    expect(map({ labels: { a: '/a' } }, { a: {} })).toEqual([
      '/a is an object, where a text, a number or a boolean must stand; point at something inside it',
    ]);
    expect(map({ labels: { a: '/a' } }, { a: [] })[0]).toContain('/a is an array');
  });
});

describe('labelsFrom', () => {
  const from = { labelsFrom: { from: '/tags', prefix: 'tag_' } };

  it('makes labels of all members, under names that Prometheus takes', () => {
    const tags = { 'k8s.io/zone': 'a', '1st': 'b', __secret__: 'c', ü: 'd', none: null, empty: '', n: 3 };
    expect(labels(undefined, { tags }, from)).toEqual({
      k8s_io_zone: 'a',
      _1st: 'b',
      _secret__: 'c',
      _: 'd',
      n: '3',
    });
  });

  it('keeps UTF-8 names where they are taken', () => {
    expect(map(from, { tags: { 'k8s.io/zone': 'a' } }, { names: 'utf8' })).toEqual([
      { labels: [['k8s.io/zone', 'a']], value: 1 },
    ]);
  });

  it('puts its prefix before a name that the mapping gives, and leaves out what is dropped', () => {
    const tags = { type: 'x', a: 'b', noise: 'c' };
    expect(labels({ type: { const: 't' } }, { tags }, { ...from, drop: ['noise'] })).toEqual({
      type: 't',
      tag_type: 'x',
      a: 'b',
    });
  });

  it('refuses what is no object, has too many members, or holds objects', () => {
    expect(map(from, { tags: ['a'] })[0]).toContain('/tags must be an object');
    const many = Object.fromEntries([...Array(65).keys()].map((n) => [`t${n}`, 'x']));
    expect(map(from, { tags: many })[0]).toContain('/tags has 65 members, of which at most 64 become labels');
    expect(map(from, { tags: { a: {} } })[0]).toContain('/tags/"a" is an object');
  });
});

describe('kinds', () => {
  const source: MappingSource = {
    labels: { base: { const: 'x' } },
    kinds: {
      made: { when: { '/action': ['made', 'remade'] }, labels: { kind: { const: 'made' } } },
      quiet: {
        when: { '/action': [null], '/n': ['0', 'true'] },
        unless: { '/skip': ['true'] },
        metric: 'quiet',
      },
    },
  };

  it('are told by what stands in the body', () => {
    expect(map(source, { action: 'remade' })).toEqual([
      {
        labels: [
          ['base', 'x'],
          ['kind', 'made'],
        ],
        value: 1,
      },
    ]);
    expect(map(source, { n: 0 })).toEqual([{ metric: 'quiet', labels: [['base', 'x']], value: 1 }]);
    expect(map(source, { n: true, skip: false })).toHaveLength(1);
  });

  it.each([
    {},
    { action: 'other' },
    { action: {}, n: 0 },
    { n: 0, skip: true },
    { action: ['made'] },
    null,
    'made',
    [1],
  ])('make no event of %j', (document) => {
    expect(map(source, document)).toEqual([null]);
  });
});

describe('the items of a body', () => {
  const source: MappingSource = { each: '/items', labels: { n: '/n', of: 'document:/of' } };

  it('become one event each, and see the whole body', () => {
    expect(map(source, { of: 'all', items: [{ n: 1 }, { n: {} }, { n: 3 }] })).toEqual([
      {
        labels: [
          ['n', '1'],
          ['of', 'all'],
        ],
        value: 1,
      },
      expect.stringContaining('/n is an object'),
      {
        labels: [
          ['n', '3'],
          ['of', 'all'],
        ],
        value: 1,
      },
    ]);
    expect(map({ ...source, each: '' }, [{ n: 1 }])).toEqual([{ labels: [['n', '1']], value: 1 }]);
  });

  it('must be there, and not too many', () => {
    expect(() => map(source, {})).toThrow('/items must be an array of events');
    expect(() => map({ ...source, each: '' }, {})).toThrow('the body must be an array of events');
    expect(() => map(source, { items: [1, 2, 3, 4] })).toThrow('/items holds more than 3 events');
  });
});

describe('value, time and id', () => {
  it('are taken from the body', () => {
    expect(
      map({ value: ['/a', '/b'], time: '/at', id: '{/x}-{/y}' }, { b: '2.5', at: 5, x: 'u', y: 7 }),
    ).toEqual([{ labels: [], value: '2.5', timestamp: '5', id: 'u-7', idSpace: 'w' }]);
    expect(map({ value: { const: 0 } }, {})).toEqual([{ labels: [], value: 0 }]);
    expect(map({ value: '/none' }, {})).toEqual([{ labels: [] }]);
  });

  it.each([
    ['s', 1_795_521_600, '2026-11-24T12:00:00.000Z'],
    ['s', '1795521600.25', '2026-11-24T12:00:00.250Z'],
    ['s', 60, '1970-01-01T00:01:00.000Z'],
    ['ms', 1_795_521_600_123, '2026-11-24T12:00:00.123Z'],
    ['ms', 60, '1970-01-01T00:00:00.060Z'],
    ['rfc3339', '2026-11-24 12:00:00 UTC', '2026-11-24T12:00:00Z'],
    ['rfc3339', '2026-11-24 14:00:00 +0200', '2026-11-24T14:00:00+02:00'],
    ['auto', '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z'],
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

  it.each(['noon', '-1', '1e9', '999999999999999', 'Infinity'])(
    'a time in seconds is refused when it is %s',
    (at) => {
      expect(map({ time: { from: '/at', unit: 's' } }, { at })[0]).toContain('is not a time in Unix seconds');
    },
  );

  it('an id is the first whose parts are all there; there may be none', () => {
    const id = ['{header:X-Id}', '{/a}:{/b}'];
    expect(map({ id }, { a: 1, b: 2 }, { headers: { 'x-id': 'h' } })).toMatchObject([{ id: 'h' }]);
    expect(map({ id }, { a: 1, b: 2 })).toMatchObject([{ id: '1:2' }]);
    expect(map({ id }, { a: 1, b: {} })).toEqual([{ labels: [], value: 1 }]);
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
    const run = { idSpace: 'w', idBytesMax: 64, names: 'legacy', eventsMax: 1 } as const;
    const delivery = { document: parseJson('{"id":9007199254740993}'), headers: () => undefined };
    expect([...mapDelivery(mapping, delivery, run)]).toMatchObject([{ draft: { id: '9007199254740993' } }]);
  });
});
