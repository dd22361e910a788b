import { describe, expect, test } from 'vitest';
import { judgeEnd } from './evidence.ts';
import { millis } from '../core/millis.ts';

const REQUESTED = 1_700_000_000_000;
const judgedAfter = (ms: number, timeoutMs?: number) =>
  judgeEnd(millis(REQUESTED), millis(REQUESTED + ms), timeoutMs);

describe("a client's end of the connection", () => {
  test.each([0, 5, 10_000, 86_400_000])(
    'is taken at its word where no timeout was announced, after %i ms',
    (ms) => {
      expect(judgedAfter(ms)).toBe('cleanEnd');
    },
  );

  test.each([
    [10_000, 9000],
    [10_000, 10_000],
    [10_000, 11_000],
    [1000, 500],
    [1000, 1500],
    [100, 0],
    [100, 600],
  ])('is doubted close to a timeout of %i ms, after %i ms', (timeoutMs, ms) => {
    expect(judgedAfter(ms, timeoutMs)).toBe('doubtfulEnd');
  });

  test.each([
    [10_000, 3],
    [10_000, 8999],
    [10_000, 11_001],
    [1000, 499],
    [1000, 1501],
    [100, 601],
    [10_000, 60_000],
  ])('is believed far from a timeout of %i ms, after %i ms', (timeoutMs, ms) => {
    expect(judgedAfter(ms, timeoutMs)).toBe('cleanEnd');
  });
});
