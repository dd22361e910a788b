import { expect, it } from 'vitest';
import { Share } from '../core/memory.ts';
import { Kept } from './kept.ts';

const keptIn = (share: Share) => new Kept<object, number>(share, (bytes) => bytes);

it('the oldest goes where there is no memory for the newest', () => {
  const share = new Share(100);
  const kept = keptIn(share);
  const things = [{}, {}, {}];
  for (const thing of things) kept.set(thing, 'text', 40);
  expect(things.map((thing) => kept.get(thing, 'text'))).toEqual([undefined, 40, 40]);
  expect(share.held).toBe(80);
});

it('what is larger than all the memory is not kept, and drives nothing out', () => {
  const share = new Share(100);
  const kept = keptIn(share);
  const [small, large] = [{}, {}];
  kept.set(small, 'text', 60);
  kept.set(large, 'text', 101);
  expect([kept.get(small, 'text'), kept.get(large, 'text'), share.held]).toEqual([60, undefined, 60]);
});

it('a third way, and one that is made anew, give back what they replace', () => {
  const share = new Share(100);
  const kept = keptIn(share);
  const thing = {};
  for (const [way, bytes] of [
    ['a', 10],
    ['b', 20],
    ['c', 30],
    ['c', 5],
  ] as const)
    kept.set(thing, way, bytes);
  expect([kept.get(thing, 'a'), kept.get(thing, 'b'), kept.get(thing, 'c')]).toEqual([undefined, 20, 5]);
  expect(share.held).toBe(25);
});
