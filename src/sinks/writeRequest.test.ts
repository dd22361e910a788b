import { describe, expect, it } from 'vitest';
import { readWriteRequest } from '../../test/support/remoteWriteReader.ts';
import type { Entry } from '../core/entry.ts';
import { millis } from '../core/millis.ts';
import type { Family } from '../render/families.ts';
import { offset } from '../core/offset.ts';
import { writeSeries } from '../core/series.ts';
import type { Version } from './answer.ts';
import { snappy } from './snappy.ts';
import { writeRequest } from './writeRequest.ts';

const T = 1_700_000_000_000;
const entry = (labels: Readonly<Record<string, string>>, more: Partial<Entry> = {}, metric = 'm'): Entry => ({
  kind: 'event',
  series: writeSeries(
    metric,
    Object.entries(labels).map(([name, value]) => ({ name, value })),
  ),
  value: 1,
  time: millis(T),
  arrived: millis(T),
  offset: offset(1),
  ...more,
});
const TYPES: Record<Version, string> = {
  '1.0': 'application/x-protobuf',
  '2.0': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
};
const written = (
  version: Version,
  batches: readonly (readonly Entry[])[],
  added: Readonly<Record<string, string>> = {},
) => {
  const request = writeRequest(
    version,
    Object.entries(added).map(([name, value]) => ({ name, value })),
  );
  let steps = 0;
  for (const entries of batches) for (const _ of request.add(entries)) steps += 1;
  return {
    series: readWriteRequest(snappy(request.finish()), TYPES[version]),
    samples: request.samples,
    steps,
  };
};

describe.each<Version>(['1.0', '2.0'])('a request of remote write %s', (version) => {
  it('has each series once, its labels in order, its samples in the order of their times', () => {
    const { series, samples } = written(version, [
      [
        entry({ zone: 'z', App: 'a', _a: 'x' }, { value: 2, time: millis(T + 2) }),
        entry({}),
        entry({ zone: 'z', App: 'a', _a: 'x' }, { value: 1, time: millis(T + 1) }),
      ],
    ]);
    expect(samples).toBe(3);
    expect(series.map(({ names }) => names)).toEqual([['App', '__name__', '_a', 'zone'], ['__name__']]);
    expect(series[0]?.samples.map(({ value, at }) => [value, at - T])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('G8: has the end of a pulse as a stale marker, and every other NaN as the normal one', () => {
    const { series } = written(version, [
      [entry({}, { value: Number.NaN }), entry({}, { kind: 'end', time: millis(T + 9) })],
    ]);
    expect(series[0]?.samples.map(({ bits, at }) => [bits, at - T])).toEqual([
      [0x7ff8_0000_0000_0001n, 0],
      [0x7ff0_0000_0000_0002n, 9],
    ]);
  });

  it('adds labels to each series that has none of the name', () => {
    const { series } = written(version, [[entry({ b: 'own' }), entry({ c: 'x' })]], { b: 'added', d: 'e' });
    expect(series.map(({ labels }) => labels)).toEqual([
      { __name__: 'm', b: 'own', d: 'e' },
      { __name__: 'm', b: 'added', c: 'x', d: 'e' },
    ]);
  });

  it('keeps quotes, backslashes, line breaks and all of Unicode in values', () => {
    const value = 'a "b" \\ \n ü 😀';
    const { series } = written(version, [[entry({ v: value }, { value: -0.1 })]]);
    expect(series[0]?.labels['v']).toBe(value);
    expect(series[0]?.samples[0]?.value).toBe(-0.1);
  });

  it('is written in steps', () => {
    const many = Array.from({ length: 2_000 }, (_, n) => entry({ n: String(n) }));
    expect(written(version, [many.slice(0, 1_000), many.slice(1_000)])).toMatchObject({
      samples: 2_000,
      steps: 4,
    });
  });
});

it('2.0 has the type and the help of each series, and names as they are, in the order of their bytes', () => {
  const { series } = written('2.0', [
    [entry({ 'k8s.pod': 'a', '\u{1f600}': 'b', '\uffee': 'c' }, {}, 'a.b')],
  ]);
  expect(series).toMatchObject([
    {
      names: ['__name__', 'k8s.pod', '\uffee', '\u{1f600}'],
      metadata: { type: 2, help: expect.stringContaining('oneShotMetricsServer') as string },
    },
  ]);
});

it('1.0 has names of the legacy charset only', () => {
  const { series } = written('1.0', [[entry({ 'k8s.pod': 'a' }, {}, 'a.b')]]);
  expect(series[0]?.labels).toMatchObject({ __name__: 'a_b', k8s_pod: 'a' });
});

it.each<Version>(['1.0', '2.0'])("has the server's own metrics, as of a time, by %s", (version) => {
  const families: readonly Family[] = [
    {
      name: 'a_seconds',
      help: 'A',
      type: 'histogram',
      samples: [
        { name: 'a_seconds_bucket', labels: [{ name: 'le', value: '+Inf' }], value: 2 },
        { name: 'a_seconds_sum', labels: [{ name: 'x', value: '' }], value: NaN },
      ],
    },
    {
      name: 'b_total',
      help: 'B',
      type: 'counter',
      samples: [
        { name: 'b_total', labels: [{ name: 'job', value: 'own' }], value: 3, createdAt: millis(T - 5) },
      ],
    },
  ];
  const request = writeRequest(version, [{ name: 'job', value: 'j' }]);
  for (const _ of request.addFamilies(families, millis(T)));
  expect(request.samples).toBe(3);
  const of = (type: number, help: string) => (version === '2.0' ? { type, help } : undefined);
  const start = version === '2.0' ? T - 5 : undefined;
  const series = readWriteRequest(snappy(request.finish()), TYPES[version]);
  expect(series.map(({ labels, metadata, createdAt }) => ({ labels, metadata, createdAt }))).toEqual([
    {
      labels: { __name__: 'a_seconds_bucket', job: 'j', le: '+Inf' },
      metadata: of(3, 'A'),
      createdAt: undefined,
    },
    { labels: { __name__: 'a_seconds_sum', job: 'j' }, metadata: of(3, 'A'), createdAt: undefined },
    { labels: { __name__: 'b_total', job: 'own' }, metadata: of(1, 'B'), createdAt: start },
  ]);
  expect(series.flatMap(({ samples }) => samples.map(({ at, startAt }) => [at, startAt]))).toEqual([
    [T, undefined],
    [T, undefined],
    [T, start],
  ]);
});
