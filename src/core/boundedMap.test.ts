import { expect, test } from 'vitest';
import { BoundedMap } from './boundedMap.ts';

test('one more pushes out the one that was set longest ago', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
  map.delete('a');
  map.set('d', 5);
  expect(['a', 'c', 'd'].map((key) => map.has(key))).toEqual([false, true, true]);
  map.clear();
  expect(map.has('c')).toBe(false);
});
