import { describe, expect, it } from 'vitest';
import type { MappingSource } from './language.ts';
import { labels, leftOf, map } from '../../../test/support/mapped.ts';

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

  it.each([
    [{}, '/a is an object; it must be a string, a number or a boolean; point at something inside it'],
    [['x'], '/a is an array; it must be a string, a number or a boolean; point at something inside it'],
    [
      '<no value>',
      '/a is "<no value>", which templates write for a missing value; correct the sender\'s template',
    ],
    ['<nil>', '/a is "<nil>", which templates write for a missing value; correct the sender\'s template'],
  ])('are left out, and told, where %j stands, and the event is not', (a, why) => {
    const source = { labels: { a: '/a', b: '/b' } };
    expect(map(source, { a, b: 'x' })).toEqual([{ labels: [['b', 'x']], value: 1 }]);
    expect(leftOf(source, { a, b: 'x' })).toEqual([['label', why]]);
  });

  it('are not missed where nothing or null stands, or where another reference has a text', () => {
    expect(leftOf({ labels: { a: '/a', b: '/b' } }, { a: null })).toEqual([]);
    expect(leftOf({ labels: { a: { from: ['/a', '/b'] } } }, { a: {}, b: 'x' })).toEqual([]);
  });

  it('hold whole characters only', () => {
    expect(labels({ a: '/a' }, { a: 'x\ud800' })).toEqual({ a: 'x\ufffd' });
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

  it.each([
    [['a'], {}, '/tags must be an object; its members become labels'],
    [{ a: {}, b: 'x' }, { b: 'x' }, '/tags/"a" is an object'],
    [{ a: null, b: 'x' }, { b: 'x' }, '/tags/"a" is null'],
    [{ a: '<no value>', b: 'x' }, { b: 'x' }, '/tags/"a" is "<no value>"'],
    [{ '': 'a', b: 'x' }, { b: 'x' }, '/tags/"" has an empty name, which can\'t be a label'],
    [Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`t${n}`, 'x'])), {}, 'more than 1000'],
  ])('leaves out what is no label of %j, and tells it', (tags, left, why) => {
    expect(labels(undefined, { tags }, from)).toEqual(left);
    expect(leftOf(from, { tags })).toEqual([['label', expect.stringContaining(why) as string]]);
  });

  it('leaves out those that are too many, the last by name, whatever their order', () => {
    const names = Array.from({ length: 66 }, (_, n) => `t${String(n).padStart(2, '0')}`);
    const of = (all: string[]) =>
      labels(undefined, { tags: Object.fromEntries(all.map((n) => [n, 'x'])) }, from);
    expect(Object.keys(of(names))).toEqual(names.slice(0, 64));
    expect(of(names.toReversed())).toEqual(of(names));
    const tags = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(leftOf(from, { tags }).map(([, why]) => why)).toEqual([
      '/tags has 66 members, but at most 64 become labels; "t64" is left out',
      '/tags has 66 members, but at most 64 become labels; "t65" is left out',
    ]);
  });

  it('leaves room for the labels that the mapping names', () => {
    const tags = Object.fromEntries(
      Array.from({ length: 64 }, (_, n) => [`t${String(n).padStart(2, '0')}`, 'x']),
    );
    const all = Object.keys(labels({ own: { const: 'o' } }, { tags }, from));
    expect(all).toHaveLength(64);
    expect(all[0]).toBe('own');
    expect(all).not.toContain('t63');
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
      { labels: [['of', 'all']], value: 1 },
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

  it('are not looked for in a body of another kind, as far as headers or the whole body tell', () => {
    const bitbucket = { ...source, when: { 'header:X-Event-Key': ['repo:refs_changed'] } };
    expect(map(bitbucket, { test: true }, { headers: { 'x-event-key': 'diagnostics:ping' } })).toEqual([
      null,
    ]);
    expect(() => map(bitbucket, {}, { headers: { 'x-event-key': 'repo:refs_changed' } })).toThrow(
      '/items must be an array of events',
    );
    const inBody = { ...source, when: { 'document:/eventKey': ['repo:refs_changed'] } };
    expect(map(inBody, { eventKey: 'pr:opened' })).toEqual([null]);
    expect(
      map({ ...source, unless: { 'document:/eventKey': ['pr:opened'] } }, { eventKey: 'pr:opened' }),
    ).toEqual([null]);
    const kinds = {
      a: { when: { 'document:/eventKey': ['a'], '/n': ['1'] } },
      b: { when: { 'document:/eventKey': ['b'] } },
    };
    expect(map({ ...source, kinds }, { eventKey: 'c' })).toEqual([null]);
    expect(map({ ...source, kinds }, { eventKey: 'a', items: [{ n: 1 }, { n: 2 }] })).toHaveLength(2);
  });

  it('must have something inside, unless a label is made of the item itself', () => {
    const why = (what: string) =>
      `each item of /items must be an object, not ${what}; correct what is sent, or the mapping's each`;
    const constant: MappingSource = { each: '/items', labels: { a: { const: 'b' } }, id: '{digest:}' };
    const stored = expect.objectContaining({ labels: [['a', 'b']] }) as object;
    expect(map(constant, { items: [1.5, {}, 'a'] })).toEqual([why('a number'), stored, why('a string')]);
    expect(map(constant, { items: [null, [], true] })).toEqual([why('null'), stored, why('a boolean')]);
    // Nor is it of a kind that the webhook doesn't know.
    expect(map({ ...constant, when: { '/n': ['1'] } }, { items: [1, {}] })).toEqual([why('a number'), null]);
    expect(map({ each: '', labels: { n: '/n' } }, [{ n: 1 }, 2])[1]).toMatch(/^each item of the body must/);
    expect(map({ each: '/items', labels: { print: 'digest:' } }, { items: ['a'] })).toEqual([
      { labels: [['print', expect.stringMatching(/^[\da-f]{16}$/)]], value: 1 },
    ]);
  });

  it('must be there, and not too many', () => {
    expect(() => map(source, {})).toThrow('/items must be an array of events');
    expect(() => map({ ...source, each: '' }, {})).toThrow('the body must be an array of events');
    expect(() => map(source, { items: [1, 2, 3, 4] })).toThrow('/items has more than 3 events');
  });
});
