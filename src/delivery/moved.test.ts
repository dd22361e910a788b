import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Entry } from '../core/entry.ts';
import { millis } from '../core/millis.ts';
import type { MovedRange } from '../core/position.ts';
import { moveUp, shownTime } from './moved.ts';
import { offset } from '../core/offset.ts';
import { writeSeries } from '../core/series.ts';

const GRACE = 300_000;
const SERIES = writeSeries('e', []);
const entry = (at: number, time: number): Entry => ({
  kind: 'event',
  series: SERIES,
  value: 1,
  time: millis(time),
  arrived: millis(time),
  offset: offset(at),
});

it('leaves what is young enough as it is', () => {
  const page = [entry(1, 1_000), entry(2, 2_000)];
  expect(moveUp([], offset(0), page, millis(1_000), GRACE)).toEqual([]);
});

it('moves what is too old to the limit, a millisecond apart, and nothing that comes after', () => {
  const page = [entry(1, 10), entry(2, 20), entry(3, 5_000)];
  const moved = moveUp([], offset(0), page, millis(1_000), GRACE);
  expect(page.map((each) => shownTime(each, moved))).toEqual([1_000, 1_001, 5_000]);
});

it('shows an entry at the same time whichever page it comes in again', () => {
  const all = Array.from({ length: 10 }, (_, i) => entry(i + 1, i));
  const first = moveUp([], offset(0), all, millis(1_000), GRACE);
  const times = all.map((each) => shownTime(each, first));
  const again = moveUp(first, offset(0), all.slice(4, 6), millis(60_000), GRACE);
  expect(all.map((each) => shownTime(each, again))).toEqual(times);
});

it('moves anew what would be too old again', () => {
  const page = [entry(1, 10)];
  const first = moveUp([], offset(0), page, millis(1_000), GRACE);
  const again = moveUp(first, offset(0), page, millis(1_001 + GRACE), GRACE);
  expect(page.map((each) => shownTime(each, again))).toEqual([1_001 + GRACE]);
});

it('G8: through pages taken at any pace, the shown times of a series strictly increase and are never too old', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 200 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 1_000 })), {
        maxLength: 40,
      }),
      fc.integer({ min: 0, max: 100_000 }),
      (gaps, pages, startOldest) => {
        let time = 0;
        const log = gaps.map((gap, i) => entry(i + 1, (time += gap)));
        let moved: readonly MovedRange[] = [];
        let cursor = 0;
        let oldest = startOldest;
        let latest = -1;
        for (const [count, elapsed] of pages) {
          const page = log.slice(cursor, cursor + count);
          moved = moveUp(moved, offset(cursor), page, millis(oldest), GRACE);
          for (const each of page) {
            const at = shownTime(each, moved);
            expect(at).toBeGreaterThan(latest);
            expect(at).toBeGreaterThanOrEqual(Math.max(each.time, oldest));
            latest = at;
          }
          cursor += page.length;
          oldest += elapsed;
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
