import { describe, expect, it } from 'vitest';
import { take } from './tokenBucket.ts';

const RULE = { intervalMs: 100, burst: 3 };

/** Asks at these moments; what passes changes the bucket. */
function ask(rule: typeof RULE, moments: readonly number[]): (boolean | number)[] {
  let fullAt = 0;
  return moments.map((now) => {
    const taken = take(rule, fullAt, now);
    if (!taken.passed) return taken.waitMs;
    fullAt = taken.fullAt;
    return true;
  });
}

describe('a token bucket', () => {
  it('lets a burst through at once, and then one each interval', () => {
    expect(ask(RULE, [1000, 1000, 1000, 1000, 1099, 1100, 1150, 1200])).toEqual([
      true,
      true,
      true,
      100,
      1,
      true,
      50,
      true,
    ]);
  });

  it('that was left alone is full again, and no fuller', () => {
    expect(ask(RULE, [0, 0, 0, 0, 90_000, 90_000, 90_000, 90_000])).toEqual([
      true,
      true,
      true,
      100,
      true,
      true,
      true,
      100,
    ]);
  });

  it('with a burst of 0 lets nothing through', () => {
    expect(ask({ intervalMs: 1000, burst: 0 }, [0, 100_000])).toEqual([1000, 1000]);
  });

  it('that a former rule left emptier than empty begins empty by the new one', () => {
    const first = take(RULE, 10_000_000, 5);
    expect(first).toEqual({ passed: true, fullAt: 305 });
    expect(take(RULE, first.passed ? first.fullAt : 0, 5)).toEqual({ passed: false, waitMs: 100 });
    expect(take(RULE, first.passed ? first.fullAt : 0, 105)).toEqual({ passed: true, fullAt: 405 });
  });

  it('stays within its rate, though fractions are lost in adding', () => {
    const rule = { intervalMs: 1000 / 3, burst: 7 };
    let fullAt = 0;
    let passed = 0;
    for (let now = 0; now < 100_000; now += 0.9) {
      const taken = take(rule, fullAt, now);
      if (!taken.passed) continue;
      passed += 1;
      fullAt = taken.fullAt;
    }
    expect(passed).toBe(306);
  });
});
