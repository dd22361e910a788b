import { describe, expect, it, test } from 'vitest';
import { Sizes } from './sizes.ts';

const MAX = 5_000;

/** Sends entries of which some are refused, until all are settled. Tells the sizes of the requests. */
function sent(count: number, isBad: (index: number) => boolean): readonly number[] {
  const sizes = new Sizes(MAX);
  const requests: number[] = [];
  for (let at = 0; at < count;) {
    const size = Math.min(sizes.next, count - at);
    requests.push(size);
    const isRefused = Array.from({ length: size }, (_, i) => isBad(at + i)).includes(true);
    if (isRefused && size > 1) sizes.refused(size);
    else {
      if (isRefused) sizes.found();
      else sizes.stored(size);
      at += size;
    }
  }
  return requests;
}

/** Pseudorandom numbers from 0 to below 1, the same each time. */
function random(): () => number {
  let seed = 1;
  return () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

describe('requests', () => {
  it('are as large as they may be while all goes through', () => {
    expect(sent(12_000, () => false)).toEqual([5_000, 5_000, 2_000]);
  });

  it('find one culprit by halves, and look at no half twice', () => {
    expect(sent(8, (index) => index === 2)).toEqual([8, 4, 2, 1, 5]);
    expect(sent(8, (index) => index === 6)).toEqual([8, 4, 2, 1, 1]);
    expect(sent(16, (index) => index === 7).length).toBeLessThanOrEqual(8);
  });

  it('grow again where there are no more', () => {
    const sizes = sent(50_000, (index) => index === 3);
    expect(sizes.slice(-4)).toEqual([5_000, 5_000, 5_000, expect.any(Number)]);
    expect(sizes.length).toBeLessThan(40);
  });

  // By doubling from 1 these were 33.6, 16.6, 9.6, 5.3 and 1.
  test.each([
    [0.000_2, 16],
    [0.01, 9.5],
    [0.05, 6.8],
    [0.2, 4.6],
    [1, 1.01],
  ])('are few where a share of %d is refused: %d for each', (share, most) => {
    const next = random();
    const bad = Array.from({ length: 20_000 }, () => next() < share);
    const requests = sent(bad.length, (index) => bad[index] === true);
    expect(requests.length / bad.filter(Boolean).length).toBeLessThan(most);
    expect(requests).not.toContain(0);
  });

  it('are half as large after one that took too long', () => {
    const sizes = new Sizes(10);
    sizes.tooMany(10);
    expect(sizes.next).toBe(5);
    sizes.tooMany(1);
    expect(sizes.next).toBe(1);
    sizes.stored(1);
    expect(sizes.next).toBe(2);
  });
});
