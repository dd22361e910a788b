import { describe, expect, it, test } from 'vitest';
import { Backoff, retryAfterMs } from './retry.ts';

describe('a backoff', () => {
  it('doubles from 0.1 s to 30 s, at random from half of it', () => {
    const least = new Backoff(() => 0);
    const most = new Backoff(() => 1);
    const pauses = Array.from({ length: 12 }, () => [least.next(), most.next()]);
    expect(pauses.slice(0, 3)).toEqual([
      [50, 100],
      [100, 200],
      [200, 400],
    ]);
    expect(pauses.at(-1)).toEqual([15_000, 30_000]);
    most.reset();
    expect(most.next()).toBe(100);
  });

  it('waits as long as it is asked to, and no longer than five minutes', () => {
    const backoff = new Backoff(() => 0);
    expect(backoff.next(7_000)).toBe(7_000);
    expect(backoff.next(86_400_000)).toBe(300_000);
  });
});

const NOW = Date.UTC(2026, 10, 30, 12, 0, 0);
test.each([
  ['7', 7_000],
  ['0', 0],
  ['Mon, 30 Nov 2026 12:00:05 GMT', 5_000],
  ['Mon, 30 Nov 2026 11:00:00 GMT', 0],
  ['soon', undefined],
  ['1e9', undefined],
  [undefined, undefined],
])('Retry-After %s is %o ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
