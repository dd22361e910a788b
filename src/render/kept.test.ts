import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Share } from '../core/memory.ts';
import { Kept } from './kept.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

it('for what is made ahead nothing is forgotten: it is kept where there is room, of things that lack a way', () => {
  const share = new Share(100);
  const kept = keptIn(share);
  const [asked, next, last] = [{}, {}, {}];
  kept.set(asked, 'text', 60);
  expect([kept.setAhead(last, 'text', 28), kept.setAhead(next, 'text', 27)]).toEqual([false, true]);
  expect([kept.get(asked, 'text'), kept.get(next, 'text'), kept.get(last, 'text')]).toEqual([
    60,
    27,
    undefined,
  ]);
  expect([share.held, share.refused]).toEqual([87, 0]);
  expect([kept.isComplete(asked, 'text'), kept.isComplete(asked, 'protobuf')]).toEqual([true, false]);
  kept.set(asked, 'protobuf', 1);
  expect(kept.isComplete(asked, 'openmetrics')).toBe(true);
});

it('what was made ahead goes before what was asked for, the newest first, and is asked for once somebody gets it', () => {
  const share = new Share(100);
  const kept = keptIn(share);
  const [oldest, used, next, last] = [{}, {}, {}, {}];
  kept.set(oldest, 'text', 20);
  for (const thing of [used, next, last]) expect(kept.setAhead(thing, 'text', 20)).toBe(true);
  expect(kept.get(used, 'text')).toBe(20);
  const there = () => [oldest, used, next, last].filter((thing) => kept.isComplete(thing, 'text'));
  kept.set({}, 'text', 40);
  expect(there()).toEqual([oldest, used, next]);
  kept.set({}, 'text', 20);
  expect(there()).toEqual([oldest, used]);
  kept.set({}, 'text', 20);
  expect(there()).toEqual([used]);
  expect(share.held).toBe(100);
});

it('what was made of things that are gone makes room for what is made ahead', async () => {
  const share = new Share(1_000);
  const kept = keptIn(share);
  for (let i = 0; i < 10; i += 1) kept.set({}, 'text', 100);
  expect(share.held).toBe(1_000);
  expect(kept.hasRoom(100)).toBe(false);
  // What a weak reference was asked for stays until the end of the turn.
  await new Promise(setImmediate);
  collectGarbage();
  expect(kept.setAhead({}, 'text', 100)).toBe(true);
});
