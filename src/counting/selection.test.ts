import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeriesText } from '../core/series.ts';
import { readSeries, writeSeries } from '../core/series.ts';
import { Selection } from './selection.ts';

const NAMES = ['type', 'pe', 'types', 'e"n', 'a.b', 'typ', ',pe='];
// One of them ends as another does: a metric before it must not make it that.
const KEPT = ['type', 'pe', 'a.b', 'e"n'];
const aSeries = fc
  .record({
    metric: fc.constantFrom('m', 'mty', 'deploys.done', 'a"b'),
    labels: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...NAMES),
        // Often the same, so that series agree in some labels; else what a place of a label might be taken for.
        value: fc.oneof(
          fc.constant('a'),
          fc.string({
            unit: fc.constantFrom('a', '"', '\\', '\n', ',', '=', '{', 'type="', ',pe="', ',pe='),
            minLength: 1,
            maxLength: 2,
          }),
        ),
      }),
      { selector: ({ name }) => name },
    ),
  })
  .map(({ metric, labels }) => writeSeries(metric, labels));

/** What is to be told apart. */
function keptOf(series: SeriesText): string {
  const { metric, labels } = readSeries(series);
  return JSON.stringify([metric, labels.filter(({ name }) => KEPT.includes(name))]);
}

test('series have the same selection only where they agree in the metric and in the labels', () => {
  const selection = new Selection(KEPT);
  fc.assert(
    fc.property(aSeries, aSeries, (a, b) => {
      if (selection.of(a) === selection.of(b)) expect(keptOf(a)).toBe(keptOf(b));
    }),
    { numRuns: 5_000 },
  );
});

test.each([...NAMES.map((name) => [name]), ['type', 'pe'], ['e"n', 'typ'], []])(
  'what came before changes nothing: %j %j',
  (...names) => {
    const selection = new Selection(names);
    fc.assert(
      fc.property(aSeries, (series) => {
        expect(selection.of(series)).toBe(new Selection(names).of(series));
        const { metric, labels } = readSeries(series);
        const others = labels.filter(({ name }) => !names.includes(name));
        // The same with another value of what is not selected, which may be before or behind it.
        for (const { name } of others) {
          const changed = labels.map((label) => (label.name === name ? { name, value: `other"` } : label));
          expect(selection.of(writeSeries(metric, changed))).toBe(selection.of(series));
        }
      }),
      { numRuns: 2_000 },
    );
  },
);

test.each([
  [writeSeries('m', [{ name: 'type', value: 'x' }]), writeSeries('mty', [{ name: 'pe', value: 'x' }])],
  [writeSeries('m', [{ name: 'typ', value: 'type="x' }]), writeSeries('m', [{ name: 'type', value: 'x' }])],
  [writeSeries('m', [{ name: 'types', value: 'x' }]), writeSeries('m', [{ name: 'type', value: 'x' }])],
])('%s and %s are told apart', (a, b) => {
  const selection = new Selection(KEPT);
  expect(selection.of(a)).not.toBe(selection.of(b));
});

test('however many series have the same labels, they have one selection, so that a cache of selections is small', () => {
  const selection = new Selection(KEPT);
  const all = Array.from({ length: 100 }, (_, n) =>
    writeSeries('m', [
      { name: 'type', value: 'x' },
      { name: 'zone', value: `${n}` },
      { name: 'a.b', value: 'y' },
    ]),
  );
  expect(new Set(all.map((series) => selection.of(series))).size).toBe(1);
  expect(selection.of(writeSeries('m', [{ name: 'type', value: 'x' }]))).not.toBe(
    selection.of(all[0] as SeriesText),
  );
});

test.each(['m{type="a', '{"m', '{"m","a.b"="c'])('a series that is cut is an error: %s', (series) => {
  expect(() => new Selection(KEPT).of(series as SeriesText)).toThrow('not a whole series');
});
