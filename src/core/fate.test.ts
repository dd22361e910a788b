import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areDelivered, fatesOf, isOpenFor } from './fate.ts';
import type { Offset } from './offset.ts';
import { offset } from './offset.ts';
import { pastFrom, remember, unknownPast } from './past.ts';
import type { Offer, Position } from './position.ts';
import { dropRanges, dropThrough, positionAt } from './position.ts';
import type { Ranges } from './range.ts';
import { NONE, ofOffsets, range, size, union } from './range.ts';

const between = (after: number, upTo: number) => range(offset(after), offset(upTo));
const at = (place: number) => between(place - 1, place);
const offerOf = (ranges: Ranges): Offer => ({
  id: 1,
  mode: 'timed',
  phase: 'sending',
  ranges,
  collapsed: 0,
  requestedAt: 0,
});

/** Began at 10, is at 30; 20 came back, 25 is out; 12 is not proved, 14 was damaged. */
const POSITION: Position = {
  ...positionAt(offset(30)),
  returned: at(20),
  offers: [offerOf(at(25))],
  past: remember(remember(pastFrom(offset(10)), 'unproven', at(12)), 'damaged', at(14)),
};

describe('what has become of an entry', () => {
  test.each([
    [10, { state: 'beforeItsStart', count: 1 }],
    [11, { state: 'delivered', count: 1 }],
    [12, { state: 'deliveredWithoutProof', count: 1 }],
    [14, { state: 'dropped', reason: 'damaged', count: 1 }],
    [20, { state: 'waiting', count: 1 }],
    [25, { state: 'onItsWay', count: 1 }],
    [30, { state: 'delivered', count: 1 }],
    [31, { state: 'waiting', count: 1 }],
  ])('at %i', (place, fate) => {
    expect(fatesOf(POSITION, at(place))).toEqual([fate]);
    expect(isOpenFor(POSITION, at(place))).toBe(['waiting', 'onItsWay'].includes(fate.state));
    expect(areDelivered(fatesOf(POSITION, at(place)))).toBe(fate.state.startsWith('delivered'));
  });

  test('is not guessed where it was not remembered', () => {
    const old: Position = { ...POSITION, past: unknownPast(offset(22)) };
    expect(fatesOf(old, at(21))).toEqual([{ state: 'unknown', count: 1 }]);
    expect(fatesOf(old, at(23))).toEqual([{ state: 'delivered', count: 1 }]);
    expect(fatesOf(old, at(20))).toEqual([{ state: 'waiting', count: 1 }]);
    expect(fatesOf(positionAt(offset(30)), at(29))).toEqual([{ state: 'unknown', count: 1 }]);
  });

  test('of several is told for each', () => {
    expect(fatesOf(POSITION, between(8, 33))).toEqual([
      { state: 'waiting', count: 4 },
      { state: 'onItsWay', count: 1 },
      { state: 'beforeItsStart', count: 2 },
      { state: 'deliveredWithoutProof', count: 1 },
      { state: 'dropped', reason: 'damaged', count: 1 },
      { state: 'delivered', count: 16 },
    ]);
  });

  test('is told of each once, whatever the ranges are', () => {
    const someRanges = fc
      .uniqueArray(fc.integer({ min: 1, max: 40 }))
      .map((offsets) => ofOffsets(offsets.toSorted((a, b) => a - b) as Offset[]));
    fc.assert(
      fc.property(someRanges, (ranges) => {
        const fates = fatesOf(POSITION, ranges);
        expect(fates.reduce((sum, { count }) => sum + count, 0)).toBe(size(ranges));
        const isOpen = fates.some(({ state }) => state === 'waiting' || state === 'onItsWay');
        expect(isOpenFor(POSITION, ranges)).toBe(isOpen);
      }),
    );
  });

  test('says why it was given up, and what is out stays so', () => {
    const { position } = dropThrough(POSITION, offset(40), 'backlog_full');
    expect(fatesOf(position, union(at(20), between(30, 41)))).toEqual([
      { state: 'waiting', count: 1 },
      { state: 'dropped', reason: 'backlog_full', count: 11 },
    ]);
    expect(fatesOf(position, at(25))).toEqual([{ state: 'onItsWay', count: 1 }]);
    const damaged = dropRanges(POSITION, between(18, 32)).position;
    expect(fatesOf(damaged, between(19, 20))).toEqual([{ state: 'dropped', reason: 'damaged', count: 1 }]);
    expect(fatesOf(damaged, at(19))).toEqual([{ state: 'delivered', count: 1 }]);
    expect(fatesOf(damaged, between(30, 33))).toEqual([
      { state: 'waiting', count: 1 },
      { state: 'dropped', reason: 'damaged', count: 2 },
    ]);
  });

  test('a position that remembers nothing goes on without', () => {
    expect(dropThrough(positionAt(offset(3)), offset(5), 'log_full').position.past).toBeUndefined();
    expect(fatesOf(positionAt(offset(3)), NONE)).toEqual([]);
  });
});
