import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CollapseHow } from '../core/collapse.ts';
import type { Entry, EntryKind } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { moveUp } from '../core/moved.ts';
import { offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import { range } from '../core/range.ts';
import { entriesOf } from '../core/run.ts';
import { writeSeries } from '../core/series.ts';
import type { Mode } from '../core/settling.ts';
import { show } from './showing.ts';
import { ReadStretch } from './stretch.ts';
import { Tail } from './tail.ts';

const anyEntry = fc.record({
  series: fc
    .constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')
    .map((n) => writeSeries('e', [{ name: 'n', value: n }])),
  kind: fc.constantFrom<EntryKind>('event', 'event', 'event', 'end'),
  value: fc.constantFrom(0, 1, 2, Number.NaN),
  step: fc.nat(40),
});

const anyLog = fc.array(anyEntry, { minLength: 1, maxLength: 20 }).map((drafts) => {
  let time = 10_000;
  return drafts.map(({ series, kind, value, step }, i): Entry => {
    time += step;
    return { kind, series, value, time: millis(time), arrived: millis(time), offset: offset(i + 1) };
  });
});

/** What is not looked at entry by entry must be shown as if it were: a stretch that was read from the log says nothing of itself. */
it('shows the same of what the tail knows as of what was read from the log', () => {
  fc.assert(
    fc.property(
      anyLog,
      fc.nat(19),
      fc.constantFrom<Mode>('timed', 'untimed'),
      fc.constantFrom<CollapseHow>('last', 'sum', 'count', 'spread'),
      fc.integer({ min: 9_900, max: 10_900 }),
      (log, from, mode, collapse, requestedAt) => {
        const after = offset(Math.min(from, log.length - 1));
        const tail = new Tail(new Share(1e6));
        tail.start(offset(0));
        tail.push(log);
        const ranges = range(after, tail.end);
        const position = positionAt(after);
        const rules = { collapse, ageMaxMs: 500 };
        const now = millis(requestedAt);
        const known = [...(tail.slice(after, tail.end, Infinity) ?? [])];
        const read = [new ReadStretch(log.slice(after))];
        const fast = show(mode, { stretches: known, ranges, gaps: [], lost: 0 }, position, now, rules);
        const slow = show(mode, { stretches: read, ranges, gaps: [], lost: 0 }, position, now, rules);
        const visible = ({ runs }: typeof fast) =>
          entriesOf(runs).filter(({ kind }) => mode === 'timed' || kind === 'event');
        expect(visible(fast)).toEqual(visible(slow));
        expect({ ...fast, runs: [] }).toEqual({ ...slow, runs: [] });
        const oldest = millis(now - rules.ageMaxMs);
        if (mode === 'timed') expect(fast.moved).toEqual(moveUp([], after, log.slice(after), oldest, 0));
        const series = fast.runs.map((run) => new Set(run.entries().map((entry) => entry.series)));
        if (mode === 'timed')
          expect(new Set(series.flatMap((one) => [...one])).size).toBe(
            series.reduce((sum, one) => sum + one.size, 0),
          );
      },
    ),
    { numRuns: 5_000 },
  );
});
