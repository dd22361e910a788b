import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Entry } from '../core/entry.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { writeSeries } from '../core/series.ts';
import { Tail } from './tail.ts';

function entry(at: number): Entry {
  return {
    kind: 'event',
    series: writeSeries('e', []),
    value: 1,
    time: millis(0),
    arrived: millis(0),
    offset: offset(at),
  };
}

it('gives what lies between two offsets, or says that it does not reach back so far', () => {
  fc.assert(
    fc.property(
      fc
        .uniqueArray(fc.integer({ min: 11, max: 200 }), { maxLength: 60 })
        .map((all) => all.toSorted((a, b) => a - b)),
      fc.integer({ min: 1, max: 4_000 }),
      fc.integer({ min: 5, max: 210 }),
      fc.integer({ min: 5, max: 210 }),
      fc.integer({ min: 1, max: 20 }),
      (offsets, bytesMax, after, upTo, entriesMax) => {
        const tail = new Tail(bytesMax);
        tail.start(offset(10));
        for (const at of offsets) tail.push([entry(at)]);
        const got = tail.slice(offset(after), offset(upTo), entriesMax)?.map(({ offset: at }) => at);
        if (got === undefined) return;
        expect(got).toEqual(offsets.filter((at) => at > after && at <= upTo).slice(0, entriesMax));
        expect(tail.end).toBe(offsets.at(-1) ?? 10);
      },
    ),
    { numRuns: 2_000 },
  );
});

it('holds no more than its bytes, and knows that the rest is gone', () => {
  const tail = new Tail(50 * 97);
  tail.start(offset(0));
  for (let at = 1; at <= 20_000; at += 1) tail.push([entry(at)]);
  expect(tail.slice(offset(19_949), offset(20_000), 100)).toBeUndefined();
  expect(tail.slice(offset(19_950), offset(20_000), 100)).toHaveLength(50);
});

it('knows nothing from before its start', () => {
  const tail = new Tail(1_000);
  tail.start(offset(10));
  expect(tail.slice(offset(9), offset(10), 1)).toBeUndefined();
  expect(tail.slice(offset(10), offset(10), 1)).toEqual([]);
});
