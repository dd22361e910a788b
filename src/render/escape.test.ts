import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLegacyLabelName, isLegacyMetricName } from '../core/labels.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { readSeries, writeSeries } from '../core/series.ts';
import type { Escaping } from './escape.ts';
import { ESCAPED_FROM, escapeFamily, escapeLabelName, escapeMetricName, escaper } from './escape.ts';
import type { Family } from './families.ts';

const SCHEMES: readonly Escaping[] = ['allow-utf-8', 'underscores', 'dots', 'values'];
const LEGACY_SCHEMES = SCHEMES.filter((scheme) => scheme !== 'allow-utf-8');

/** Undoes `values` as Prometheus does, written from its description. */
function unescapeValues(name: string): string {
  if (!name.startsWith('U__')) return name;
  return name
    .slice(3)
    .replaceAll(/__|_([0-9a-f]+)_/g, (_whole, hex?: string) =>
      hex === undefined ? '_' : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

/** Names of few characters, so that many fall together. */
const anyAlike = fc.oneof(
  fc.stringMatching(/^[ab_.: 92]{1,4}$/),
  fc.constantFrom(
    'escaped_from',
    'escaped.from',
    'escaped__from',
    '._name__',
    '_name_',
    '.name.',
    'U__a_2e_b',
    'U__',
    'a.b',
    'a_b',
    'a_b_2',
    'a_dot_b',
    'ü',
    'é',
  ),
);
const anyLabel = fc.record({
  name: anyAlike.filter((name) => !name.startsWith('__')),
  value: fc.constantFrom('1', '2'),
});
const anySeries: fc.Arbitrary<SeriesText> = fc
  .tuple(anyAlike, fc.uniqueArray(anyLabel, { maxLength: 3, selector: ({ name }) => name }))
  .map(([metric, labels]) => writeSeries(metric, labels));

describe('an escaped name', () => {
  test('is a legacy one, and of a legacy one the same but for dots', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.constantFrom(...LEGACY_SCHEMES),
        (name, scheme) => {
          const [metric, label] = [escapeMetricName(name, scheme), escapeLabelName(name, scheme)];
          expect(isLegacyMetricName(metric)).toBe(true);
          expect(isLegacyLabelName(label)).toBe(true);
          if (scheme !== 'dots' && isLegacyMetricName(name)) expect(metric).toBe(name);
          if (scheme !== 'dots' && isLegacyLabelName(name)) expect(label).toBe(name);
        },
      ),
    );
  });

  test('in the scheme values can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        if (name.startsWith('U__')) return;
        expect(unescapeValues(escapeMetricName(name, 'values'))).toBe(name);
        expect(unescapeValues(escapeLabelName(name, 'values'))).toBe(name);
      }),
    );
  });
});

describe('an escaped series', () => {
  test.each(LEGACY_SCHEMES)('has legacy names alone, and its values as they were: %s', (scheme) => {
    fc.assert(
      fc.property(anySeries, (series) => {
        const escaped = readSeries(escaper(scheme)(series));
        const added = escapeLabelName(ESCAPED_FROM, scheme);
        const own = escaped.labels.filter(({ name }) => name !== added);
        expect(isLegacyMetricName(escaped.metric)).toBe(true);
        expect(escaped.labels.every(({ name }) => isLegacyLabelName(name) && name !== '__name__')).toBe(true);
        expect(new Set(escaped.labels.map(({ name }) => name)).size).toBe(escaped.labels.length);
        const values = (labels: readonly Label[]) => labels.map(({ value }) => value).sort();
        expect(values(own)).toEqual(values(readSeries(series).labels));
      }),
      { numRuns: 2000 },
    );
  });

  test.each(LEGACY_SCHEMES)('is another one for another series: %s', (scheme) => {
    fc.assert(
      fc.property(fc.uniqueArray(anySeries, { minLength: 100, maxLength: 400 }), (all) => {
        expect(new Set(all.map(escaper(scheme))).size).toBe(all.length);
      }),
      { numRuns: 100 },
    );
  });

  test.each(LEGACY_SCHEMES)('is the same whatever was escaped before it: %s', (scheme) => {
    fc.assert(
      fc.property(fc.array(anySeries), anySeries, (before, series) => {
        const used = escaper(scheme);
        for (const each of before) used(each);
        expect(used(series)).toBe(escaper(scheme)(series));
      }),
    );
  });

  test('tells apart which of two labels had the taken name', () => {
    const one = writeSeries('m', [
      { name: 'a_b', value: '1' },
      { name: 'a.b', value: '2' },
    ]);
    const other = writeSeries('m', [
      { name: 'a.b', value: '1' },
      { name: 'a_b_2', value: '2' },
    ]);
    expect(escaper('underscores')(one)).toBe('m{a_b="1",a_b_2="2",escaped_from="m{\\"a.b\\",a_b}"}');
    expect(escaper('underscores')(other)).toBe('m{a_b="1",a_b_2="2",escaped_from="m{\\"a.b\\",a_b_2}"}');
  });

  test.each(SCHEMES)('is the very same where it holds no name that the scheme changes: %s', (scheme) => {
    const plain = writeSeries('deploys', [{ name: 'env', value: 'ends in a comma,' }]);
    expect(escaper(scheme)(plain)).toBe(plain);
    const utf8 = writeSeries('a.b', [{ name: 'c d', value: 'x' }]);
    expect(escaper(scheme)(utf8) === utf8).toBe(scheme === 'allow-utf-8');
  });
});

describe("an escaped family of the server's own", () => {
  const family: Family = {
    name: 'own_seconds',
    help: 'h',
    type: 'histogram',
    samples: [{ name: 'own_seconds_sum', labels: [{ name: 'my_label', value: 'x' }], value: 1 }],
  };

  test('keeps its names in every scheme but dots, which changes underscores, though not those of parts', () => {
    for (const scheme of ['allow-utf-8', 'underscores', 'values'] as const)
      expect(escapeFamily(family, scheme)).toEqual(family);
    expect(escapeFamily(family, 'dots')).toMatchObject({
      name: 'own__seconds',
      samples: [{ name: 'own__seconds_sum', labels: [{ name: 'my__label', value: 'x' }], value: 1 }],
    });
  });

  test("has its labels escaped, for a counter of events has labels of events' names", () => {
    const labels = [{ name: 'k8s.cluster', value: 'x' }];
    const counter: Family = {
      ...family,
      type: 'counter',
      samples: [{ name: family.name, labels, value: 1 }],
    };
    expect(escapeFamily(counter, 'values').samples[0]?.labels).toEqual([
      { name: 'U__k8s_2e_cluster', value: 'x' },
    ]);
    expect(escapeFamily(counter, 'underscores').samples[0]?.labels).toEqual([
      { name: 'escaped_from', value: 'own_seconds{"k8s.cluster"}' },
      { name: 'k8s_cluster', value: 'x' },
    ]);
  });
});
