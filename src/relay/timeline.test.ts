import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { millis } from '../core/millis.ts';
import { writeSeries } from '../core/series.ts';
import { Timeline } from './timeline.ts';

const series = (n: number) => writeSeries('e', [{ name: 'n', value: String(n) }]);

it('G8: times of a series strictly increase, and arrivals never decrease, whatever the clock does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -2_000, max: 2_000 }))),
      (events) => {
        const timeline = new Timeline();
        timeline.start(millis(1_000_000), []);
        const last = new Map<number, number>();
        let arrivedBefore = 0;
        let now = 1_000_000;
        for (const [n, step] of events) {
          now += step;
          const { time, arrived } = timeline.place(series(n), millis(now));
          expect(time).toBeGreaterThan(last.get(n) ?? 0);
          expect(time).toBeGreaterThanOrEqual(arrived);
          expect(arrived).toBeGreaterThanOrEqual(Math.max(arrivedBefore, now));
          last.set(n, time);
          arrivedBefore = arrived;
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

it('an event alone in its millisecond keeps its arrival', () => {
  const timeline = new Timeline();
  expect(timeline.place(series(1), millis(5))).toEqual({ time: 5, arrived: 5 });
  expect(timeline.place(series(2), millis(5))).toEqual({ time: 5, arrived: 5 });
  expect(timeline.place(series(1), millis(6))).toEqual({ time: 6, arrived: 6 });
});

it('G4: after a restart a burst that ran ahead of the clock is still above its own times', () => {
  const before = new Timeline();
  const placed = Array.from({ length: 100 }, () => before.place(series(1), millis(1_000)));
  const after = new Timeline();
  after.start(
    millis(1_000),
    placed.map((at, i) => ({ kind: 'event', series: series(1), value: 1, offset: (i + 1) as never, ...at })),
  );
  expect(after.place(series(1), millis(1_010)).time).toBe(1_100);
});

it('forgets series whose times no clock can meet again', () => {
  const timeline = new Timeline();
  for (let n = 0; n < 50_000; n += 1) timeline.place(series(n), millis(1_000 + n));
  expect(timeline.size).toBeLessThan(21_000);
});
