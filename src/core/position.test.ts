import { describe, expect, test } from 'vitest';
import { makeOffer } from '../delivery/offer.ts';
import { settle } from '../delivery/settle.ts';
import { offset } from './offset.ts';
import type { Offer, Position } from './position.ts';
import { available, cursorOf, dropRanges, dropThrough, pendingCount, positionAt } from './position.ts';
import { NONE, range, union, without } from './range.ts';

const between = (after: number, upTo: number) => range(offset(after), offset(upTo));
const offerOf = (id: number, after: number, upTo: number): Offer => ({
  id,
  mode: 'untimed',
  phase: 'sending',
  ranges: between(after, upTo),
  collapsed: 0,
  requestedAt: 0,
});

/** Offsets 11 to 15 came back, 16 to 20 are out, 21 and beyond are new. */
function busy(): Position {
  const first = makeOffer(positionAt(offset(10)), offerOf(1, 10, 15));
  const both = makeOffer(first, offerOf(2, 15, 20));
  return settle(both, 1, 'reset').position;
}

describe('a position', () => {
  test('at the end of the log has nothing before it', () => {
    const position = positionAt(offset(10));
    expect(available(position, offset(10))).toEqual(NONE);
    expect(pendingCount(position, offset(10))).toBe(0);
    expect(cursorOf(position)).toBe(10);
  });

  test('offers first what came back, then what is new, and not what is out', () => {
    expect(available(busy(), offset(30))).toEqual([...between(10, 15), ...between(20, 30)]);
  });

  test('counts what came back, what is out and what is new as pending', () => {
    expect(pendingCount(busy(), offset(30))).toBe(20);
  });

  test('has its cursor before the first entry that is not settled', () => {
    expect(cursorOf(busy())).toBe(10);
    expect(cursorOf(makeOffer(positionAt(offset(3)), offerOf(1, 3, 9)))).toBe(3);
    expect(cursorOf(dropThrough(busy(), offset(15), 'log_full').position)).toBe(15);
  });

  test('gives up what came back and what is new, up to the floor, and counts it', () => {
    expect(dropThrough(busy(), offset(13), 'log_full')).toMatchObject({
      dropped: 3,
      position: { head: 20, returned: between(13, 15) },
    });
    expect(dropThrough(busy(), offset(25), 'log_full')).toMatchObject({
      dropped: 10,
      position: { head: 25, returned: NONE },
    });
  });

  test('keeps what is out when all before the floor is given up, and takes it back afterwards', () => {
    const { position } = dropThrough(busy(), offset(25), 'log_full');
    expect(position.offers).toHaveLength(1);
    expect(settle(position, 2, 'reset').position.returned).toEqual(between(15, 20));
  });

  test('stays the very same where there is nothing to give up', () => {
    const position = busy();
    expect(dropThrough(position, offset(10), 'log_full').position).toBe(position);
    expect(dropThrough(position, offset(0), 'log_full').dropped).toBe(0);
  });

  test('forgets what ended well once along with the entries', () => {
    const sent = makeOffer(positionAt(offset(0)), { ...offerOf(1, 0, 5), mode: 'timed', phase: 'flushed' });
    const { position } = settle(sent, 1, 'cleanEnd');
    expect(position.endedOnce).toEqual(between(0, 5));
    expect(dropThrough(position, offset(3), 'log_full').position.endedOnce).toEqual(between(3, 5));
  });
});

describe('what is gone from the middle of the log', () => {
  test('is given up where it stands, and what lies before it is still to be fetched', () => {
    const position = { ...positionAt(offset(10)), returned: range(offset(2), offset(6)) };
    const gone = union(range(offset(3), offset(5)), range(offset(12), offset(15)));
    const { position: after, dropped } = dropRanges(position, gone);
    expect(dropped).toBe(5);
    expect(after.head).toBe(15);
    expect(available(after, offset(20))).toEqual(without(available(position, offset(20)), gone));
    expect(dropRanges(after, gone)).toEqual({ position: after, dropped: 0 });
  });

  test('leaves what is out in an offer, and what is confirmed', () => {
    const position = positionAt(offset(10));
    expect(dropRanges(position, range(offset(2), offset(10)))).toEqual({ position, dropped: 0 });
  });
});
