import { describe, expect, test } from 'vitest';
import type { Evidence } from './settle.ts';
import { makeOffer, markFlushed, perhapsTwice } from './offer.ts';
import { settle } from './settle.ts';
import { offset } from '../core/offset.ts';
import type { Offer, Position, Mode } from '../core/position.ts';
import { CLOSES_AFTER_ENDS, available, positionAt } from '../core/position.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, range } from '../core/range.ts';

const between = (after: number, upTo: number) => range(offset(after), offset(upTo));
const offerOf = (id: number, ranges: Ranges, mode: Mode = 'untimed', closes = false): Offer => ({
  id,
  mode,
  phase: 'sending',
  ranges,
  collapsed: 0,
  requestedAt: 0,
  ...(closes && { closes }),
});

/** Entries 1 to `upTo` went out whole, in offer 1. */
const flushed = (upTo: number, mode: Mode, closes = false) =>
  markFlushed(makeOffer(positionAt(offset(0)), offerOf(1, between(0, upTo), mode, closes)), 1);

/** Offers all that is there, flushes it, and settles it so. */
function scrape(
  position: Position,
  id: number,
  mode: Mode,
  evidence: Evidence,
  end: number,
  closes = false,
): Position {
  const offer = offerOf(id, available(position, offset(end)), mode, closes);
  const sent = markFlushed(makeOffer(position, offer), id);
  return settle(sent, id, evidence).position;
}

describe('making an offer', () => {
  test('takes what it holds out of what is available', () => {
    const position = makeOffer(positionAt(offset(0)), offerOf(1, between(0, 5)));
    expect(position.head).toBe(5);
    expect(available(position, offset(8))).toEqual(between(5, 8));
  });

  test.each([
    ['holds nothing', NONE],
    ['holds what is out already', between(0, 6)],
    ['holds what lies behind the start', between(2, 7)],
    ['leaves new entries behind it', between(6, 8)],
  ])('that %s is an error of the programmer', (_what, ranges) => {
    const position = makeOffer(positionAt(offset(3)), offerOf(1, between(3, 5)));
    expect(() => makeOffer(position, offerOf(2, ranges))).toThrow(RangeError);
  });
});

describe('settling an offer', () => {
  test('confirmed settles its entries', () => {
    expect(settle(flushed(5, 'untimed'), 1, 'nextRequest')).toMatchObject({
      verdict: 'confirm',
      confirmed: 5,
      returned: 0,
      position: { head: 5, returned: NONE, offers: [] },
    });
  });

  test('returned makes its entries the first of the next offer (G3)', () => {
    const { position, returned } = settle(flushed(5, 'untimed'), 1, 'reset');
    expect(returned).toBe(5);
    expect(available(position, offset(7))).toEqual(between(0, 7));
  });

  test.each([
    ['nextRequest', 0],
    ['reset', 5],
    ['cleanEnd', 5],
    ['doubtfulEnd', 5],
    ['closed', 5],
    ['elsewhere', 5],
    ['leaseOver', 5],
    ['restart', 5],
  ] as const)(
    'of a timed response that may have arrived is known when they are shown untimed: %s',
    (evidence, twice) => {
      const { position } = settle(flushed(5, 'timed'), 1, evidence);
      expect(perhapsTwice(position, 'untimed', between(0, 5))).toBe(twice);
      expect(perhapsTwice(position, 'timed', between(0, 5))).toBe(0);
      if (twice === 0) return;
      const untimed = makeOffer(position, { ...offerOf(2, between(0, 5)), mode: 'untimed' });
      expect(perhapsTwice(untimed, 'untimed', between(0, 5))).toBe(0);
      const timed = settle(makeOffer(position, { ...offerOf(2, between(0, 5)), mode: 'timed' }), 2, 'reset');
      expect(perhapsTwice(timed.position, 'untimed', between(0, 5))).toBe(5);
    },
  );

  test('of a timed response that was cut was not stored', () => {
    const cut = makeOffer(positionAt(offset(0)), { ...offerOf(1, between(0, 5)), mode: 'timed' });
    for (const evidence of ['reset', 'cleanEnd', 'doubtfulEnd', 'closed', 'leaseOver'] as const)
      expect(settle(cut, 1, evidence).position.perhapsTimed).toEqual(NONE);
    // Where nobody cut it, the rest may have arrived.
    for (const evidence of ['nextRequest', 'elsewhere', 'restart'] as const)
      expect(settle(cut, 1, evidence).position.perhapsTimed).toEqual(between(0, 5));
  });

  test('held changes nothing at all', () => {
    const position = flushed(5, 'untimed');
    expect(settle(position, 1, 'elsewhere').position).toBe(position);
  });

  test.each(['nextRequest', 'reset', 'cleanEnd', 'leaseOver'] as const)(
    'twice, or unknown, changes nothing: %s',
    (evidence) => {
      const { position } = settle(flushed(5, 'untimed'), 1, evidence);
      expect(settle(position, 1, evidence).position).toBe(position);
      expect(settle(position, 99, evidence)).toMatchObject({
        position,
        verdict: 'hold',
        confirmed: 0,
        returned: 0,
      });
    },
  );

  test('that was not flushed is not confirmed by the next request', () => {
    const sending = makeOffer(positionAt(offset(0)), offerOf(1, between(0, 5)));
    expect(settle(sending, 1, 'nextRequest').position).toBe(sending);
  });

  test('counts what it covered without showing only where it is confirmed', () => {
    const sent = markFlushed(
      makeOffer(positionAt(offset(0)), { ...offerOf(1, between(0, 5)), collapsed: 3 }),
      1,
    );
    expect(settle(sent, 1, 'nextRequest').collapsed).toBe(3);
    expect(settle(sent, 1, 'reset').collapsed).toBe(0);
  });

  test('timed that ended well as announced is offered again, and confirmed when it ends so a second time', () => {
    const once = settle(flushed(5, 'timed', true), 1, 'cleanEnd');
    expect(once).toMatchObject({
      verdict: 'againOnce',
      confirmed: 0,
      returned: 5,
      position: { endedOnce: between(0, 5) },
    });
    const sent = markFlushed(makeOffer(once.position, offerOf(2, between(0, 8), 'timed', true)), 2);
    const twice = settle(sent, 2, 'cleanEnd');
    expect(twice).toMatchObject({
      confirmed: 5,
      returned: 3,
      position: { returned: between(5, 8), endedOnce: between(5, 8) },
    });
    expect(scrape(twice.position, 3, 'timed', 'cleanEnd', 8, true)).toMatchObject({
      returned: NONE,
      endedOnce: NONE,
      offers: [],
    });
  });

  test('timed that ended well once remembers it over an offer that broke', () => {
    const once = settle(flushed(5, 'timed'), 1, 'cleanEnd').position;
    const broken = scrape(once, 2, 'timed', 'reset', 5);
    expect(broken.endedOnce).toEqual(between(0, 5));
    expect(scrape(broken, 3, 'timed', 'cleanEnd', 5, true)).toMatchObject({
      returned: NONE,
      endedOnce: NONE,
    });
  });

  test('timed that ends well unannounced is offered again until the client is known to close after each scrape', () => {
    let position = positionAt(offset(0));
    for (let id = 1; id < CLOSES_AFTER_ENDS; id += 1) {
      position = scrape(position, id, 'timed', 'cleanEnd', 5);
      expect(position.returned).toEqual(between(0, 5));
    }
    position = scrape(position, 50, 'timed', 'cleanEnd', 7);
    expect(position).toMatchObject({ returned: between(5, 7), endsInRow: CLOSES_AFTER_ENDS });
    expect(scrape(position, 51, 'timed', 'cleanEnd', 7).returned).toEqual(NONE);
  });

  test('timed ends count from the last proof on', () => {
    let position = positionAt(offset(0));
    for (let id = 1; id <= 10 * CLOSES_AFTER_ENDS; id += 1) {
      // New entries are lost if any end is believed: here a proxy cuts all responses but one in sixteen.
      position = scrape(position, id, 'timed', id % 16 === 0 ? 'nextRequest' : 'cleanEnd', id);
      expect(position.returned).toEqual(id % 16 === 0 ? NONE : between(id - (id % 16), id));
    }
  });
});

test('G2: late proof of what a later offer covers, too, leaves no more to be counted as collapsed than is left of it', () => {
  const again = settle(flushed(2, 'timed'), 1, 'elsewhere').position;
  const second = { ...offerOf(2, between(0, 3)), collapsed: 2 };
  const proved = settle(makeOffer(again, second), 1, 'nextRequest');
  expect(proved).toMatchObject({ confirmed: 2, collapsed: 0 });
  expect(settle(markFlushed(proved.position, 2), 2, 'nextRequest')).toMatchObject({
    confirmed: 1,
    collapsed: 1,
  });
});

describe('the size of a page', () => {
  test.each(['reset', 'doubtfulEnd'] as const)('is halved by a broken response: %s', (evidence) => {
    expect(settle(flushed(5, 'untimed'), 1, evidence).position.halvings).toBe(1);
    expect(settle(flushed(5, 'timed'), 1, evidence).position.halvings).toBe(1);
  });

  test('is halved again and again, to a floor, and grows back one step with each delivery', () => {
    let position = positionAt(offset(0));
    for (let id = 1; id <= 30; id++) position = scrape(position, id, 'untimed', 'reset', 5);
    expect(position.halvings).toBe(20);
    position = scrape(position, 31, 'untimed', 'nextRequest', 6);
    expect(position.halvings).toBe(19);
    for (let id = 32; id <= 60; id++) position = scrape(position, id, 'untimed', 'cleanEnd', id);
    expect(position.halvings).toBe(0);
  });

  test.each(['elsewhere', 'leaseOver', 'restart', 'closed'] as const)(
    'stays where nothing is known of a timed one: %s',
    (evidence) => {
      expect(settle(flushed(5, 'timed'), 1, evidence).position.halvings).toBe(0);
    },
  );
});
