import { expect, it } from 'vitest';
import { parseGoDuration } from './goDuration.ts';

it.each([
  ['0', 0],
  ['1s', 1_000],
  ['100ms', 100],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['250us', 0.25],
  ['250µs', 0.25],
  ['-1s', -1_000],
  ['+1s', 1_000],
  ['5000000', 5],
])('%s is %s ms', (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
});

it.each(['', 's', '1 s', '1d', '1s5', '--1s', '1s-1s', 'often', '1e3s', '.s'])(
  '%j is no duration',
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);
