import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Entry, EntryKind } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { entriesOf } from '../core/run.ts';
import { writeSeries } from '../core/series.ts';
import { CHUNK_ENTRIES } from './chunk.ts';
import type { Stretch } from './stretch.ts';
import { Tail } from './tail.ts';

/** What an entry of the series `e` costs. */
const COST = 130;

function entry(at: number, series = 'e', kind: EntryKind = 'event'): Entry {
  return {
    kind,
    series: writeSeries(series, []),
    value: -0,
    time: millis(1_000_000 + at),
    arrived: millis(2_000_000 + at),
    offset: offset(at),
  };
}

const stretchesOf = (tail: Tail, after: number) => {
  const stretches = tail.slice(offset(after), tail.end, Infinity);
  return stretches && [...stretches];
};

function sliced(
  tail: Tail,
  after: number,
  upTo: number,
  entriesMax = Infinity,
): readonly Entry[] | undefined {
  const stretches = tail.slice(offset(after), offset(upTo), entriesMax);
  return stretches && entriesOf([...stretches]);
}

it('gives what lies between two offsets, or says that it does not reach back so far', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 190 }).map((count) => Array.from({ length: count }, (_, i) => 11 + i)),
      fc.integer({ min: 1, max: 4_000 }),
      fc.integer({ min: 5, max: 210 }),
      fc.integer({ min: 5, max: 210 }),
      fc.integer({ min: 1, max: 20 }),
      (offsets, bytesMax, after, upTo, entriesMax) => {
        const tail = new Tail(new Share(bytesMax));
        tail.start(offset(10));
        for (const at of offsets) tail.push([entry(at)]);
        const got = sliced(tail, after, upTo, entriesMax);
        if (got === undefined) return;
        const expected = offsets.filter((at) => at > after && at <= upTo).slice(0, entriesMax);
        expect(got).toEqual(expected.map((at) => entry(at)));
        expect(tail.end).toBe(offsets.at(-1) ?? 10);
      },
    ),
    { numRuns: 2_000 },
  );
});

it('holds no more than its bytes, a sixteenth less at most, and knows that the rest is gone', () => {
  const tail = new Tail(new Share(1_600 * COST));
  tail.start(offset(0));
  for (let at = 1; at <= 20_000; at += 1) tail.push([entry(at)]);
  expect(sliced(tail, 18_399, 20_000)).toBeUndefined();
  expect(sliced(tail, 18_502, 20_000)).toHaveLength(1_498);
});

it('knows nothing from before its start', () => {
  const tail = new Tail(new Share(1_000));
  tail.start(offset(10));
  expect(sliced(tail, 9, 10, 1)).toBeUndefined();
  expect(sliced(tail, 10, 10, 1)).toEqual([]);
});

it('gives everybody the same stretch for a whole chunk, and tells it from a part', () => {
  const tail = new Tail(new Share(1e9));
  tail.start(offset(0));
  tail.push(Array.from({ length: CHUNK_ENTRIES + 5 }, (_, i) => entry(i + 1)));
  const once = stretchesOf(tail, 0);
  const again = stretchesOf(tail, 0);
  expect(once?.map(({ length, isShared }) => ({ length, isShared }))).toEqual([
    { length: CHUNK_ENTRIES, isShared: true },
    { length: 5, isShared: true },
  ]);
  expect(again?.every((stretch, i) => stretch === once?.[i])).toBe(true);
  tail.push([entry(CHUNK_ENTRIES + 6)]);
  const grown = stretchesOf(tail, 1);
  expect(grown?.map(({ length, isShared }) => ({ length, isShared }))).toEqual([
    { length: CHUNK_ENTRIES - 1, isShared: false },
    { length: 6, isShared: true },
  ]);
  expect(once?.[1]).toHaveLength(5);
});

it('gives one after the other the chunks that take no more entries and were not begun yet, as all others get them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 * CHUNK_ENTRIES }),
      fc.nat(4 * CHUNK_ENTRIES),
      fc.constantFrom(1e9, 900 * COST, 40 * COST),
      (count, after, bytesMax) => {
        const tail = new Tail(new Share(bytesMax));
        tail.start(offset(0));
        for (let at = 1; at <= count; at += 1) tail.push([entry(at)]);
        const whole: Stretch[] = [];
        let next = tail.wholeBeyond(offset(after));
        for (; next !== undefined; next = tail.wholeBeyond(next.last)) whole.push(next);
        let begin = 0;
        while (stretchesOf(tail, begin) === undefined) begin += 1;
        const all = stretchesOf(tail, begin) ?? [];
        const closed = all.filter((each, i) => i < all.length - 1 || each.length === CHUNK_ENTRIES);
        const expected = closed.filter((each) => (each.entries()[0] as Entry).offset > after);
        expect(whole.map(({ last }) => last)).toEqual(expected.map(({ last }) => last));
        expect(whole.every((each, i) => each === expected[i])).toBe(true);
      },
    ),
  );
});

it('tells from where on no series stands twice, by its events or by all that is there', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean()), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.nat(40),
      fc.integer({ min: 300, max: 5_000 }),
      (log, after, bytesMax) => {
        const tail = new Tail(new Share(bytesMax));
        tail.start(offset(0));
        tail.push(log.map(([series, isEnd], i) => entry(i + 1, series, isEnd ? 'end' : 'event')));
        const stretches = stretchesOf(tail, after);
        if (stretches === undefined) return;
        const entries = entriesOf(stretches);
        const isDistinct = new Set(entries.map(({ series }) => series)).size === entries.length;
        expect(stretches.every(({ entriesRepeat }) => entriesRepeat <= after)).toBe(isDistinct);
        const events = entries.filter(({ kind }) => kind === 'event');
        const areDistinct = new Set(events.map(({ series }) => series)).size === events.length;
        // An end between two events of a series hides the first of them from the second; then it is the end that is told.
        if (stretches.every(({ eventsRepeat }) => eventsRepeat <= after)) expect(areDistinct).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

it('measures lines as they would be one by one', () => {
  const tail = new Tail(new Share(1e9));
  tail.start(offset(0));
  tail.push([entry(1), entry(2, 'longer'), entry(3)]);
  const [all] = tail.slice(offset(0), offset(3), Infinity) ?? [];
  const [part] = tail.slice(offset(1), offset(3), Infinity) ?? [];
  expect(all?.bytes).toBe(41 + 46 + 41);
  expect(part?.bytes).toBe(46 + 41);
  expect([0, 40, 41, 86, 87, 127, 128, 1_000].map((bytes) => all?.countWithin(bytes))).toEqual([
    0, 0, 1, 1, 2, 2, 3, 3,
  ]);
  expect([45, 46, 87].map((bytes) => part?.countWithin(bytes))).toEqual([0, 1, 2]);
  expect(all?.first(2).last).toBe(2);
  expect(all?.earliest).toBe(1_000_001);
});
