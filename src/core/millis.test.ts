import { describe, expect, test } from 'vitest';
import { millis } from './millis.ts';

describe('milliseconds', () => {
  test.each([0, 1, -1, 1_700_000_000_000, Number.MAX_SAFE_INTEGER])('may be %s', (value) => {
    expect(millis(value)).toBe(value);
  });

  test.each([0.5, Number.NaN, Infinity, 2 ** 53])('are never %s', (value) => {
    expect(() => millis(value)).toThrow(RangeError);
  });
});
