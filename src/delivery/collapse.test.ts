import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { end, event, inLog } from '../../test/golden/entries.ts';
import type { CollapseHow } from './collapse.ts';
import { collapse, collapseLast } from './collapse.ts';
import type { Entry } from '../core/entry.ts';

const HOW = ['last', 'sum', 'count', 'spread'] as const;

/** a a b c b, with an end in between. */
const SOME = inLog(
  event('a', {}, 1),
  event('b', {}, 2),
  end('a'),
  event('a', {}, 3),
  event('c', {}, 4),
  event('b', {}, 5),
);

const told = (entries: readonly Entry[]) => entries.map(({ series, value }) => [series, value]);

/** The shown value of a series whose events have these values. */
const valueOf = (how: CollapseHow, ...values: number[]) =>
  collapse(how, inLog(...values.map((value) => event('a', {}, value)))).shown[0]?.value;

const anyEntries = fc
  .array(
    fc.record({
      series: fc.constantFrom('a', 'b', 'c', 'd'),
      isEnd: fc.boolean(),
      value: fc.double(),
    }),
    { maxLength: 30 },
  )
  .map((all) =>
    inLog(...all.map(({ series, isEnd, value }) => (isEnd ? end(series) : event(series, {}, value)))),
  );

describe.each(HOW)('collapsing to the %s', (how) => {
  test('shows each series once, in the order of their first event, and no ends', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const { shown } = collapse(how, entries);
        const series = entries.filter(({ kind }) => kind === 'event').map((entry) => entry.series);
        expect(shown.map((entry) => entry.series)).toEqual([...new Set(series)]);
        expect(shown.every(({ kind }) => kind === 'event')).toBe(true);
      }),
    );
  });

  test('shows, counts as collapsed, or leaves every event, and never an end', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const { shown, covered, collapsed } = collapse(how, entries);
        const taken = covered === 'all' ? entries : entries.filter((entry) => covered.includes(entry.offset));
        const left = entries.filter((entry) => !taken.includes(entry));
        expect(left.every(({ kind }) => kind === 'event')).toBe(true);
        expect(shown.length + collapsed).toBe(taken.filter(({ kind }) => kind === 'event').length);
      }),
    );
  });

  test('returns the very list where nothing repeats and nothing ends', () => {
    const entries = inLog(event('a'), event('a', { b: 'c' }));
    expect(collapse(how, entries)).toEqual({ shown: entries, covered: 'all', collapsed: 0 });
    expect(collapse(how, entries).shown).toBe(entries);
    expect(collapse(how, [])).toEqual({ shown: [], covered: 'all', collapsed: 0 });
  });

  test('covers ends that come alone, and shows nothing', () => {
    expect(collapse(how, inLog(end('a'), end('a')))).toEqual({ shown: [], covered: 'all', collapsed: 0 });
  });
});

describe('collapsing', () => {
  test.each([
    ['last', 3, 5],
    ['sum', 4, 7],
    ['count', 2, 2],
  ] as const)('to the %s covers all, and counts what is not shown', (how, a, b) => {
    const { shown, covered, collapsed } = collapse(how, SOME);
    expect(told(shown)).toEqual([
      ['a', a],
      ['b', b],
      ['c', how === 'count' ? 1 : 4],
    ]);
    expect([covered, collapsed]).toEqual(['all', 2]);
  });

  test('to the count shows 1 for an event that comes alone, whatever its value', () => {
    expect(valueOf('count', 5)).toBe(1);
    expect(valueOf('count', Number.NaN)).toBe(1);
  });

  test.each([
    [[0.1, 0.2], 0.30000000000000004],
    [[-0], -0],
    [[-0, -0], -0],
    [[-0, 0], 0],
    [[1, Number.NaN, 2], Number.NaN],
    [[Infinity, 1], Infinity],
    [[Infinity, -Infinity], Number.NaN],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Infinity],
    [[2 ** 53, 1, 1], 2 ** 53],
  ])('to the sum adds as float64 does: %j is %d', (values, sum) => {
    expect(valueOf('sum', ...values)).toBe(sum);
  });

  test('leaves the entries as they were', () => {
    const before = structuredClone(SOME);
    for (const how of HOW) collapse(how, SOME);
    expect(SOME).toEqual(before);
  });

  test('to the last is what collapseLast does', () => {
    expect(collapseLast(SOME)).toEqual(collapse('last', SOME).shown);
  });
});

describe('spreading', () => {
  test('shows the first event of each series, and leaves the others', () => {
    const { shown, covered, collapsed } = collapse('spread', SOME);
    expect(shown).toEqual([SOME[0], SOME[1], SOME[4]]);
    expect(covered).toEqual([1, 2, 3, 5]);
    expect(collapsed).toBe(0);
  });

  test('shows each event in one of the next scrapes and in no other, in the order of its series', () => {
    fc.assert(
      fc.property(anyEntries, fc.array(fc.nat(5), { maxLength: 20 }), (entries, arrivals) => {
        let waiting: readonly Entry[] = [];
        let next = 0;
        const shown: Entry[] = [];
        const scrape = (upTo: number): void => {
          waiting = [...waiting, ...entries.slice(next, upTo)];
          next = Math.max(next, upTo);
          const page = collapse('spread', waiting);
          const { covered } = page;
          shown.push(...page.shown);
          waiting = covered === 'all' ? [] : waiting.filter(({ offset }) => !covered.includes(offset));
        };
        for (const count of arrivals) scrape(Math.min(next + count, entries.length));
        scrape(entries.length);
        while (waiting.length > 0) scrape(entries.length);
        const events = entries.filter(({ kind }) => kind === 'event');
        const bySeries = (all: readonly Entry[]) => Map.groupBy(all, ({ series }) => series);
        expect(bySeries(shown)).toEqual(bySeries(events));
      }),
    );
  });
});
