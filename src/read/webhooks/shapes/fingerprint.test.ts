import { expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';

/** From https://github.com/prometheus/common/blob/main/model/fnv.go and its tests. */
it.each([
  [[], 14_695_981_039_346_656_037n],
  [
    [
      ['name', 'garland, briggs'],
      ['fear', 'love is not enough'],
    ] as const,
    5_799_056_148_416_392_346n,
  ],
] as const)('the fingerprint of %j is the one that Prometheus gives it', (labels, fingerprint) => {
  expect(BigInt(`0x${fingerprintOf(labels)}`)).toBe(fingerprint);
});

it('a fingerprint always has 16 digits, and tells where a name ends', () => {
  const labels = [...Array(200).keys()].map((n) => [['a', String(n)]] as const);
  const prints = labels.map((each) => fingerprintOf(each));
  expect(prints.filter((print) => !/^[0-9a-f]{16}$/.test(print))).toEqual([]);
  expect(new Set(prints).size).toBe(200);
  expect(fingerprintOf([['ab', 'c']])).not.toBe(fingerprintOf([['a', 'bc']]));
});
