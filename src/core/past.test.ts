import { describe, expect, test } from 'vitest';
import { offset } from './offset.ts';
import { PAST_RANGES_MAX, pastFrom, remember } from './past.ts';
import { NONE, range } from './range.ts';

const between = (after: number, upTo: number) => range(offset(after), offset(upTo));

describe('a past', () => {
  test('stays the very same where nothing is to be remembered', () => {
    const past = pastFrom(offset(3));
    expect(remember(past, 'unproven', NONE)).toBe(past);
  });

  test('joins what was settled in the same way', () => {
    let past = pastFrom(offset(0));
    for (let n = 0; n < 1000; n += 1) past = remember(past, 'unproven', between(n, n + 1));
    expect(past).toEqual({ start: 0, known: 0, ways: { unproven: between(0, 1000) } });
  });

  test('is bounded: the oldest ranges go, and it says up to where it knows nothing', () => {
    let past = pastFrom(offset(0));
    for (let n = 1; n <= PAST_RANGES_MAX; n += 1)
      past = remember(past, n % 2 === 0 ? 'unproven' : 'damaged', between(n * 10, n * 10 + 1));
    expect(past.known).toBe(0);
    past = remember(past, 'log_full', between(5, 6));
    expect(past.known).toBe(6);
    expect(past.ways.log_full).toBeUndefined();
    past = remember(past, 'collapsed', between(2000, 2002));
    expect(past.known).toBe(11);
    expect(past.ways.damaged?.[0]).toEqual({ after: 30, upTo: 31 });
    expect(Object.values(past.ways).flat()).toHaveLength(PAST_RANGES_MAX);
  });
});
