import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyLabelName, anyLabelValue, anyMetricName } from '../../test/support/randomEvents.ts';
import { parseSamples } from '../../test/support/strictParser.ts';
import { metricOf, writeSeries } from './series.ts';

const anyLabels = fc.uniqueArray(
  fc.record({
    name: anyLabelName.map((name) => name.replaceAll(' ', '_')),
    value: anyLabelValue.filter((text) => text !== ''),
  }),
  { maxLength: 8, selector: ({ name }) => name },
);

describe('a series', () => {
  test('without labels is its metric', () => {
    expect(writeSeries('deploys', [])).toBe('deploys');
  });

  test('has its labels in order of their names, by code unit', () => {
    const labels = ['b', 'a', 'B', '_', 'a1', 'aa'].map((name) => ({ name, value: 'x' }));
    expect(writeSeries('m', labels)).toBe('m{B="x",_="x",a="x",a1="x",aa="x",b="x"}');
  });

  test('escapes backslashes, quotes and newlines, and nothing else', () => {
    expect(writeSeries('m', [{ name: 'a', value: '\\"\n\r\t\0n' }])).toBe('m{a="\\\\\\"\\n\r\t\0n"}');
  });

  test('is one text for one set of labels, whatever their order', () => {
    fc.assert(
      fc.property(anyMetricName, anyLabels, fc.nat(), (metric, labels, turn) => {
        const from = labels.length === 0 ? 0 : turn % labels.length;
        const turned = [...labels.slice(from), ...labels.slice(0, from)].reverse();
        expect(writeSeries(metric, turned)).toBe(writeSeries(metric, labels));
      }),
    );
  });

  test('is another text for another set of labels', () => {
    fc.assert(
      fc.property(anyLabels, anyLabels, (a, b) => {
        const set = (labels: typeof a) =>
          JSON.stringify(
            labels
              .map(({ name, value }) => JSON.stringify([name, value]))
              .toSorted((x, y) => (x < y ? -1 : 1)),
          );
        expect(writeSeries('m', a) === writeSeries('m', b)).toBe(set(a) === set(b));
      }),
    );
  });

  test('is read by a strict parser as it was meant, and tells its metric', () => {
    fc.assert(
      fc.property(anyMetricName, anyLabels, (metric, labels) => {
        const series = writeSeries(metric, labels);
        const [sample] = parseSamples(Buffer.from(`${series} 1\n`));
        expect(sample?.name).toBe(metric);
        expect(sample?.labels).toEqual(new Map(labels.map(({ name, value }) => [name, value])));
        expect(metricOf(series)).toBe(metric);
      }),
      { numRuns: 1000 },
    );
  });
});
