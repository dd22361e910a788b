import { describe, expect, it } from 'vitest';
import { RETRY, delayAfter, retryAfterOf } from './retry.ts';

describe('the wait before a retry', () => {
  it('doubles up to its limit, and half of it is random', () => {
    const waits = (random: number) =>
      [1, 2, 3, 6, 9].map((n) => delayAfter(n, undefined, RETRY, () => random));
    expect(waits(0)).toEqual([100, 200, 400, 2500, 2500]);
    expect(waits(0.5)).toEqual([150, 300, 600, 3750, 3750]);
  });

  it('is as long as the server asked for, within a minute', () => {
    expect(delayAfter(1, 3_000, RETRY, () => 0)).toBe(3_000);
    expect(delayAfter(1, 3_600_000, RETRY, () => 0)).toBe(60_000);
  });
});

describe('Retry-After', () => {
  it.each([
    [null, undefined],
    ['0', 0],
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('%s', (header, ms) => {
    expect(retryAfterOf(header, 10_000)).toBe(ms);
  });
});
