import type { Evidence } from './evidence.ts';
import type { Offer, Position } from './position.ts';
import { available } from './position.ts';
import { NONE, common, range, size, union, without } from './range.ts';
import type { Ranges } from './range.ts';
import type { Verdict } from './settling.ts';
import { judge } from './settling.ts';

/** A page is never halved below one event: 2^20 exceeds every sensible page. */
const HALVINGS_MAX = 20;

/**
 * Takes `offer.ranges` out of what is available. Throws a RangeError (a programmer's error) for none, for one that is not
 * available (it would be delivered twice), and for a new one that leaves others behind it (they would be lost).
 */
export function makeOffer(position: Position, offer: Offer): Position {
  const last = offer.ranges.at(-1);
  if (last === undefined) throw new RangeError('an offer holds at least one entry');
  const head = last.upTo > position.head ? last.upTo : position.head;
  if (without(offer.ranges, available(position, head)).length > 0) {
    throw new RangeError('an offer holds only what is available');
  }
  if (without(range(position.head, head), offer.ranges).length > 0) {
    throw new RangeError('an offer takes what is new from the head on, without a hole');
  }
  return {
    ...position,
    head,
    returned: without(position.returned, offer.ranges),
    offers: [...position.offers, offer],
  };
}

/** Notes that the response of an offer went into the socket whole. */
export function markFlushed(position: Position, offerId: number): Position {
  return {
    ...position,
    offers: position.offers.map((o) => (o.id === offerId ? { ...o, phase: 'flushed' } : o)),
  };
}

/** What a settlement did, for counting: how many entries met which end. */
export interface Settlement {
  readonly position: Position;
  readonly verdict: Verdict;
  /** Entries confirmed by it. */
  readonly confirmed: number;
  /** Of these, the entries that the response covered without showing them. */
  readonly collapsed: number;
  /** Entries that are to be offered again. */
  readonly returned: number;
}

const NOTHING = { confirmed: 0, collapsed: 0, returned: 0 };

/**
 * Settles an offer by what was seen of it, or leaves it out where that says nothing yet. An offer that is not out (any more)
 * changes nothing: evidence may come twice, or late.
 */
export function settle(position: Position, offerId: number, evidence: Evidence): Settlement {
  const offer = position.offers.find((o) => o.id === offerId);
  if (offer === undefined) return { ...NOTHING, position, verdict: 'hold' };
  const verdict = judge(offer.mode, offer.phase, evidence);
  switch (verdict) {
    case 'hold':
      return { ...NOTHING, position, verdict };
    case 'confirm':
    case 'confirmUnproven':
      return close(position, offer, verdict, offer.ranges, position.endedOnce);
    case 'return':
    case 'returnDoubtful':
    case 'again':
      return close(position, offer, verdict, NONE, position.endedOnce);
    case 'againOnce': {
      const secondTime = common(offer.ranges, position.endedOnce);
      return close(
        position,
        offer,
        verdict,
        secondTime,
        union(position.endedOnce, without(offer.ranges, secondTime)),
      );
    }
    default:
      return verdict satisfies never;
  }
}

function close(
  position: Position,
  offer: Offer,
  verdict: Verdict,
  confirmed: Ranges,
  endedOnce: Ranges,
): Settlement {
  const back = without(offer.ranges, confirmed);
  return {
    verdict,
    confirmed: size(confirmed),
    collapsed: size(confirmed) > 0 ? offer.collapsed : 0,
    returned: size(back),
    position: {
      ...position,
      offers: position.offers.filter((o) => o.id !== offer.id),
      returned: union(position.returned, back),
      endedOnce: without(endedOnce, confirmed),
      halvings: nextHalvings(position.halvings, verdict, confirmed),
    },
  };
}

/** A broken response halves the next page, so that no oversized body jams a scraper for ever; a delivered one grows it back. */
function nextHalvings(halvings: number, verdict: Verdict, confirmed: Ranges): number {
  if (verdict === 'return' || verdict === 'returnDoubtful') return Math.min(halvings + 1, HALVINGS_MAX);
  return size(confirmed) > 0 ? Math.max(halvings - 1, 0) : halvings;
}
