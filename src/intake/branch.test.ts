import { describe, expect, test } from 'vitest';
import { Branch } from './branch.ts';

describe('a branch', () => {
  test('is followed by nothing at first', () => {
    expect(new Branch('', 0).next('a')).toBeUndefined();
    expect(new Branch('', 0).latest).toBeUndefined();
  });

  test('is followed by each that grew, with its value, and by nothing else', () => {
    const root = new Branch('', 0);
    const grown = ['a', 'b', 'c'].map((text, index) => root.grow(text, index));
    for (const branch of [...grown, ...grown.toReversed()]) {
      expect(root.next(branch.text)).toBe(branch);
      expect(root.latest).toBe(branch);
    }
    expect(grown.map(({ value }) => value)).toEqual([0, 1, 2]);
    expect(root.next('d')).toBeUndefined();
    expect(root.latest?.text).toBe('a');
    expect(grown[0]?.next('b')).toBeUndefined();
  });
});
