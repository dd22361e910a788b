import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Label, readSeries, writeSeries } from '../core/series.ts';
import { emptyLabels } from './emptyLabels.ts';

const label = (name: string, value: string): Label => ({ name, value });

describe('labels with empty values', () => {
  it.each([
    ['up', [], 'up{instance="",pod=""}'],
    ['up', [label('a', 'x')], 'up{instance="",pod="",a="x"}'],
    ['up', [label('pod', 'mine'), label('z', '')], 'up{instance="",pod="mine",z=""}'],
    ['up', [label('instance', 'i'), label('pod', 'p')], 'up{instance="i",pod="p"}'],
    ['a.b', [], '{"a.b",instance="",pod=""}'],
    ['a.b', [label('c.d', 'x')], '{"a.b",instance="",pod="","c.d"="x"}'],
    ['up', [label('my_pod', 'pod=""')], 'up{instance="",pod="",my_pod="pod=\\"\\""}'],
    ['up', [label('a', '",pod="x')], 'up{instance="",pod="",a="\\",pod=\\"x"}'],
  ])('%s %j', (metric, labels, expected) => {
    expect(emptyLabels(['instance', 'pod'])(writeSeries(metric, labels))).toBe(expected);
  });

  it('change nothing where none are asked for', () => {
    expect(emptyLabels([])(writeSeries('up', []))).toBe('up');
  });

  it('leave every other label as it was', () => {
    const name = fc.constantFrom('a', 'pod', 'pod_ip', 'x.pod', 'instance', 'z');
    const value = fc.constantFrom('', 'x', '",pod="', '\\', '\n', 'pod="', '}');
    const labels: fc.Arbitrary<Label[]> = fc.uniqueArray(fc.record({ name, value }), {
      selector: (each) => each.name,
    });
    fc.assert(
      fc.property(fc.constantFrom('up', 'a.b', 'pod'), labels, (metric, given) => {
        const read = readSeries(emptyLabels(['instance', 'pod'])(writeSeries(metric, given)));
        const added = ['instance', 'pod'].filter((each) => !given.some((have) => have.name === each));
        const expected = [...given, ...added.map((each) => label(each, ''))];
        const sorted = (all: typeof given) => all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(read.metric).toBe(metric);
        expect(sorted([...read.labels])).toEqual(sorted(expected));
      }),
    );
  });
});
