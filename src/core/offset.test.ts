import { describe, expect, test } from 'vitest';
import { START, offset } from './offset.ts';

describe('an offset', () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER])('may be %s', (value) => {
    expect(offset(value)).toBe(value);
  });

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('is never %s', (value) => {
    expect(() => offset(value)).toThrow(RangeError);
  });

  test('stands before the first entry at the start', () => {
    expect(START).toBe(0);
  });
});
