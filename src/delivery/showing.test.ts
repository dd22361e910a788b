import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CollapseHow } from './collapse.ts';
import type { Entry, EntryKind } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { moveUp } from './moved.ts';
import { offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import { NONE, ofOffsets, range } from '../core/range.ts';
import { entriesOf } from '../core/run.ts';
import { writeSeries } from '../core/series.ts';
import type { Mode } from '../core/position.ts';
import { isShownAsItIs, show } from './showing.ts';
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

/** Scrape after scrape, what is left being the next page, as it is once each is confirmed. */
it('shows each series once in a scrape, and in all of them what one scrape of all shows', () => {
  fc.assert(
    fc.property(
      anyLog,
      fc.constantFrom('events' as const, 'samples' as const),
      fc.integer({ min: 9_900, max: 10_900 }),
      (log, once, requestedAt) => {
        const rules = { collapse: 'last', ageMaxMs: 500 } as const;
        const isShown = ({ kind }: Entry) => once === 'samples' || kind === 'event';
        const after = offset(0);
        const showOf = (entries: readonly Entry[], moved: ReturnType<typeof moveUp>, how?: typeof once) => {
          const ranges = ofOffsets(entries.map((entry) => entry.offset));
          const page = { stretches: [new ReadStretch(entries)], ranges, gaps: NONE, lost: 0 };
          return show('timed', page, { ...positionAt(after), moved }, millis(requestedAt), rules, how);
        };
        const whole = entriesOf(showOf(log, []).runs).filter(isShown);
        const found: Entry[] = [];
        let [left, moved]: [readonly Entry[], ReturnType<typeof moveUp>] = [log, []];
        for (let scrapes = 0; left.length > 0; scrapes += 1) {
          expect(scrapes).toBeLessThan(log.length);
          const showing = showOf(left, moved, once);
          const entries = entriesOf(showing.runs).filter(isShown);
          expect(new Set(entries.map((entry) => entry.series)).size).toBe(entries.length);
          found.push(...entries);
          moved = showing.moved;
          const rest = showing.left;
          left = left.filter((entry) =>
            rest.some((part) => entry.offset > part.after && entry.offset <= part.upTo),
          );
        }
        const inOrder = found.toSorted((a, b) => a.offset - b.offset);
        expect(inOrder).toEqual(whole);
      },
    ),
    { numRuns: 2_000 },
  );
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

/** What is rendered ahead must be what will be shown. */
it('shows a page of the tail as it is where it says so of each of its stretches', () => {
  let shownAsTheyAre = 0;
  fc.assert(
    fc.property(
      anyLog,
      fc.nat(19),
      fc.constantFrom<Mode>('timed', 'untimed'),
      fc.constantFrom<CollapseHow>('last', 'sum', 'count', 'spread'),
      fc.integer({ min: 9_900, max: 10_900 }),
      (log, from, mode, collapse, requestedAt) => {
        const after = offset(Math.min(from, log.length - 1));
        // So small that its chunks are.
        const tail = new Tail(new Share(5_000));
        tail.start(offset(0));
        tail.push(log);
        const stretches = [...(tail.slice(after, tail.end, Infinity) ?? [])];
        const page = { stretches, ranges: range(after, tail.end), gaps: NONE, lost: 0 };
        const now = millis(requestedAt);
        const rules = { collapse, ageMaxMs: 500 };
        const { runs } = show(mode, page, positionAt(after), now, rules);
        const areShown = stretches.every((stretch) => isShownAsItIs(mode, stretch, after, now, rules));
        if (mode === 'untimed') expect(runs === stretches).toBe(areShown);
        // Of many entries the last stand so much later.
        else if (runs === stretches) expect(areShown).toBe(true);
        if (runs === stretches) shownAsTheyAre += 1;
      },
    ),
    { numRuns: 5_000 },
  );
  expect(shownAsTheyAre).toBeGreaterThan(100);
});
