import * as fc from 'fast-check';
import { collapseLast } from '../delivery/collapse.ts';
import { describe, expect, test } from 'vitest';
import { end, event, inLog } from '../../test/golden/entries.ts';
import {
  anyLabelName,
  anyLabelValue,
  anyMetricName,
  anySampleValue,
} from '../../test/support/randomEvents.ts';
import { parseExposition, parseSamples } from '../../test/support/strictParser.ts';
import type { Entry } from '../core/entry.ts';
import { draftFromPairs } from '../intake/draft.ts';
import { eventFromDraft } from '../intake/eventFromDraft.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { formatSampleValue } from '../core/value.ts';
import { renderText } from '../../test/support/rendered.ts';
import { WIDE_LIMITS } from '../../test/support/rules.ts';

const limits = { ...WIDE_LIMITS, idBytesMax: 32 };

const LABELS = { maxLength: 4, selector: ([name]: [string, string]) => name.replaceAll(' ', '_') };

/** By time, then by value: a body's families stand together, so its order is another than the log's. */
function inOrder(samples: readonly (readonly [number, number])[]): readonly string[] {
  return samples
    .map(([time, value]) => `${time} ${formatSampleValue(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** A log of few series, so that they repeat, with ends among them; the times of a series strictly increase. */
const anyLog: fc.Arbitrary<Entry[]> = fc
  .tuple(
    fc.array(fc.tuple(anyMetricName, fc.uniqueArray(fc.tuple(anyLabelName, anyLabelValue), LABELS)), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.array(fc.tuple(fc.nat(), anySampleValue, fc.boolean()), { maxLength: 30 }),
  )
  .map(([series, samples]) =>
    samples.map(([which, value, isEvent], index): Entry => {
      const [metric, labels] = series[which % series.length] ?? ['a', []];
      const made = eventFromDraft(draftFromPairs(labels), {
        metric,
        limits,
        names: 'legacy',
        reserved: () => false,
      });
      const time = millis(1_700_000_000_000 + index);
      return {
        kind: isEvent ? 'event' : 'end',
        series: made.series,
        value,
        time,
        arrived: time,
        offset: offset(index + 1),
      };
    }),
  );

describe('the text format', () => {
  test('of nothing, or of ends alone, is empty', () => {
    expect(renderText([], { timed: false })).toBe('');
    expect(renderText([], { timed: true })).toBe('');
    expect(renderText(inLog(end('a'), end('b')), { timed: true })).toBe('');
    expect(renderText(inLog(end('a')), { timed: false })).toBe('');
  });

  test('keeps metrics apart whose names begin alike', () => {
    const families = parseExposition(
      renderText(inLog(event('a'), event('ab'), event('a', { b: 'x' }), event('a_b')), { timed: false }),
    );
    expect(families.map(({ name, samples }) => [name, samples.length])).toEqual([
      ['a', 2],
      ['ab', 1],
      ['a_b', 1],
    ]);
  });

  test('is valid whatever the events, and has every event in a timed scrape, the last of each series in an untimed one', () => {
    fc.assert(
      fc.property(anyLog, fc.boolean(), (entries, timed) => {
        const wanted = new Map<string, Entry[]>();
        for (const entry of entries) {
          if (entry.kind === 'end') continue;
          const before = wanted.get(entry.series) ?? [];
          wanted.set(entry.series, timed ? [...before, entry] : [entry]);
        }
        const expected = [...wanted.values()].flat();
        const samples = parseSamples(
          Buffer.from(renderText(timed ? entries : collapseLast(entries), { timed })),
        );
        const told = samples.map(({ time, value }) => [time ?? 0, value] as const);
        const meant = expected.map(({ time, value }) => [timed ? time : 0, value] as const);
        expect(inOrder(told)).toEqual(inOrder(meant));
      }),
      { numRuns: 500 },
    );
  });

  test('holds a page of 100,000 events in little time', () => {
    const many = inLog(
      ...Array.from({ length: 100_000 }, (_, index) => event('deploys', { n: String(index) }, index / 7)),
    );
    renderText(many, { timed: true });
    const began = performance.now();
    expect(renderText(many, { timed: true }).length).toBeGreaterThan(3_000_000);
    // About 60 ms; the bound leaves room for a busy machine and still shows a quadratic step.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
