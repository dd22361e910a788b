import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyLabelName, anyLabelValue, anyMetricName } from '../../test/support/randomEvents.ts';
import { parseSamples } from '../../test/support/strictParser.ts';
import { haveSameNames, headOf, metricOf, readSeries, seriesWriter, writeSeries } from './series.ts';

const anyLabels = fc.uniqueArray(
  fc.record({
    name: anyLabelName.map((name) => name.replaceAll(' ', '_')),
    value: anyLabelValue.filter((text) => text !== ''),
  }),
  { maxLength: 8, selector: ({ name }) => name },
);

/** Names of which many need quotes, and some look like parts of the notation. */
const anyName = fc.oneof(
  fc.constantFrom(
    'a.b',
    '"',
    '\\',
    '\\"',
    '\n',
    '{',
    '}',
    ',',
    '=',
    '="',
    '",',
    '{"',
    'a"b',
    '9',
    'a:b',
    'ü',
    '🚀',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
  anyLabelName,
);
const anyUtf8Labels = fc.uniqueArray(fc.record({ name: anyName, value: anyLabelValue }), {
  maxLength: 6,
  selector: ({ name }) => name,
});

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

  test.each([
    ['deploys.done', [], '{"deploys.done"}'],
    ['deploys.done', [{ name: 'env', value: 'x' }], '{"deploys.done",env="x"}'],
    ['deploys', [{ name: 'k8s.cluster', value: 'x' }], 'deploys{"k8s.cluster"="x"}'],
    ['a:b', [{ name: 'a:b', value: 'x' }], 'a:b{"a:b"="x"}'],
    ['a"\\\n', [{ name: '9"\\\n', value: '"' }], '{"a\\"\\\\\\n","9\\"\\\\\\n"="\\""}'],
  ])('has quotes around names beyond the legacy charset: %j %j', (metric, labels, text) => {
    expect(writeSeries(metric, labels)).toBe(text);
  });

  test('is read back as it was written, name for name and value for value', () => {
    fc.assert(
      fc.property(anyName, anyUtf8Labels, (metric, labels) => {
        const series = writeSeries(metric, labels);
        const inOrder = labels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(readSeries(series)).toEqual({ metric, labels: inOrder });
        expect(metricOf(series)).toBe(metric);
        expect(series.slice(headOf(series).length, headOf(series).length + 1)).toMatch(/^[{,}]?$/);
      }),
      { numRuns: 3000 },
    );
  });

  test('with names in quotes is read by a strict parser as it was meant', () => {
    const named = anyUtf8Labels.map((labels) => labels.filter(({ name }) => name !== '__name__'));
    fc.assert(
      fc.property(anyName, named, (metric, labels) => {
        const [sample] = parseSamples(Buffer.from(`${writeSeries(metric, labels)} 1\n`), 'utf8');
        const told = labels
          .filter(({ value }) => value !== '')
          .map(({ name, value }) => [name, value] as const);
        expect(sample?.name).toBe(metric);
        expect(sample?.labels).toEqual(new Map(told));
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['a{b', 'a{b="x', 'a{b="x\\"}', '{"a', '{"a","b'])('that is cut is not read: %s', (text) => {
    expect(() => readSeries(text as ReturnType<typeof writeSeries>)).toThrow(/not a whole series/);
  });
});

test('one after the other, series are written as each would be by itself', () => {
  const anyMember = fc.tuple(
    fc.constantFrom('a', 'b.c', ''),
    fc.array(fc.tuple(fc.nat(3), anyLabelValue), { maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 12 }), (members) => {
      const write = seriesWriter();
      for (const [metric, pairs] of members) {
        const names = [...new Set(pairs.map(([n]) => n))];
        // In the order in which they were drawn: the same names may come in another.
        const labels = names.map((n) => ({
          name: ['x', 'y', 'y.z', '_'][n] ?? '',
          value: pairs.find(([m]) => m === n)?.[1] ?? '',
        }));
        expect(write(metric, labels)).toBe(writeSeries(metric, labels));
      }
    }),
  );
});

test.each([
  [['a', 'b'], ['a', 'b'], true],
  [['a', 'b'], ['b', 'a'], false],
  [['a'], ['a', 'b'], false],
  [['a', 'b'], ['a'], false],
  [[], [], true],
])('names %j and %j are the same: %s', (some, others, are) => {
  const labels = (names: readonly string[], value: string) => names.map((name) => ({ name, value }));
  expect(haveSameNames(labels(some, '1'), labels(others, '2'))).toBe(are);
});
