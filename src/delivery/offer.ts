import type { Evidence } from './evidence.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import type { Offer, Position, Mode } from '../core/position.ts';
import { available, withoutMarks } from '../core/position.ts';
import { NONE, common, range, size, union, without } from '../core/range.ts';
import type { Ranges } from '../core/range.ts';
import type { Verdict } from './settling.ts';
import { judge } from './settling.ts';

/** A page is never halved below one event: 2^20 exceeds every sensible page. */
const HALVINGS_MAX = 20;

/** Older ones are not remembered: a client that proves so late has made as many scrapes without proof in between. */
const REPEATS_MAX = 8;

/**
 * A client of which so many responses in a row ended well without a further request closes after each scrape, as does a proxy in
 * between whose idle timeout is shorter than the interval. Fewer may be a proxy that cuts responses, and ends its side well: that was
 * measured to lose 60 % of the events where two ends were enough (docs/decisions/0014-who-closes-after-each-scrape.md).
 */
export const CLOSES_AFTER_ENDS = 32;

/**
 * Takes `offer.ranges` out of what is available; `left` was looked at with them and is left for a later offer. Throws a RangeError
 * (a programmer's error) for none, for one that is not available (it would be delivered twice), and for a new one that leaves
 * others behind it (they would be lost).
 */
export function makeOffer(position: Position, offer: Offer, left: Ranges = NONE): Position {
  const last = offer.ranges.at(-1);
  if (last === undefined) throw new RangeError('an offer holds at least one entry');
  const head = maxOffset(last.upTo, left.at(-1)?.upTo ?? START, position.head);
  if (without(offer.ranges, available(position, head)).length > 0) {
    throw new RangeError('an offer holds only what is available');
  }
  if (without(range(position.head, head), union(offer.ranges, left)).length > 0) {
    throw new RangeError('an offer takes what is new from the head on, without a hole');
  }
  return {
    ...position,
    head,
    returned: union(without(position.returned, offer.ranges), common(left, range(position.head, head))),
    offers: [...position.offers, offer],
    // Counted as doubtful with this offer; what becomes of it then is its own doubt.
    perhapsTimed:
      offer.mode === 'untimed' ? without(position.perhapsTimed, offer.ranges) : position.perhapsTimed,
  };
}

/** How many entries an offer in a mode may bring a second time, at another time: those that a timed response may have brought. */
export function perhapsTwice({ perhapsTimed }: Position, mode: Mode, ranges: Ranges): number {
  return mode === 'untimed' ? size(common(ranges, perhapsTimed)) : 0;
}

/** Notes that the response of an offer went into the socket whole. */
export function markFlushed(position: Position, offerId: number): Position {
  const marked = (o: Offer): Offer => (o.id === offerId ? { ...o, phase: 'flushed' } : o);
  return { ...position, offers: position.offers.map(marked), repeats: position.repeats.map(marked) };
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
 * changes nothing, unless late proof comes for one that was given up for offering again: evidence may come twice, or late.
 */
export function settle(position: Position, offerId: number, evidence: Evidence): Settlement {
  const offer = position.offers.find((o) => o.id === offerId);
  if (offer === undefined) return settleRepeat(position, offerId, evidence);
  const verdict = judge(offer.mode, offer.phase, evidence);
  const perhaps = mayHaveArrived(offer, evidence) ? offer.ranges : NONE;
  switch (verdict) {
    case 'hold':
      return { ...NOTHING, position, verdict };
    case 'confirm':
    case 'confirmUnproven':
      return close(proved(position, verdict), offer, verdict, offer.ranges, position.endedOnce, perhaps);
    case 'return':
    case 'returnDoubtful':
      return close(position, offer, verdict, NONE, position.endedOnce, perhaps);
    case 'again': {
      const repeats = [...position.repeats, offer].slice(-REPEATS_MAX);
      return close({ ...position, repeats }, offer, verdict, NONE, position.endedOnce, perhaps);
    }
    case 'againOnce': {
      const endsInRow = Math.min(position.endsInRow + 1, CLOSES_AFTER_ENDS);
      const believed = offer.closes === true || endsInRow === CLOSES_AFTER_ENDS;
      const secondTime = believed ? common(offer.ranges, position.endedOnce) : NONE;
      return close(
        { ...position, endsInRow },
        offer,
        verdict,
        secondTime,
        union(position.endedOnce, without(offer.ranges, secondTime)),
        perhaps,
      );
    }
    default:
      return verdict satisfies never;
  }
}

/** Whether the client may have read a timed response whole. One that was cut while it was being sent stores nothing. */
function mayHaveArrived({ mode, phase }: Offer, evidence: Evidence): boolean {
  if (mode === 'untimed') return false;
  return phase === 'flushed' || ['nextRequest', 'elsewhere', 'restart'].includes(evidence);
}

/** A client that gave proof does not close after each scrape. */
function proved(position: Position, verdict: Verdict): Position {
  return verdict === 'confirm' ? { ...position, endsInRow: 0 } : position;
}

/** Late proof confirms what is not confirmed yet, wherever it is by now. */
function settleRepeat(position: Position, offerId: number, evidence: Evidence): Settlement {
  const offer = position.repeats.find((o) => o.id === offerId);
  if (offer === undefined) return { ...NOTHING, position, verdict: 'hold' };
  const repeats = position.repeats.filter((o) => o.id !== offerId);
  if (judge(offer.mode, offer.phase, evidence) !== 'confirm') {
    return { ...NOTHING, position: { ...position, repeats }, verdict: 'hold' };
  }
  const open = union(
    position.returned,
    position.offers.flatMap((o) => o.ranges).reduce<Ranges>((all, one) => union(all, [one]), NONE),
  );
  const confirmed = common(offer.ranges, open);
  const offers = position.offers
    .map((o) => ({ ...o, ranges: without(o.ranges, confirmed) }))
    .filter((o) => o.ranges.length > 0);
  return {
    ...NOTHING,
    verdict: 'confirm',
    confirmed: size(confirmed),
    position: {
      ...position,
      offers,
      repeats,
      returned: without(position.returned, confirmed),
      ...withoutMarks(position, confirmed),
      endsInRow: 0,
    },
  };
}

function maxOffset(...offsets: Offset[]): Offset {
  return offsets.reduce((most, one) => (one > most ? one : most), START);
}

function close(
  position: Position,
  offer: Offer,
  verdict: Verdict,
  confirmed: Ranges,
  endedOnce: Ranges,
  perhaps: Ranges,
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
      perhapsTimed: without(union(position.perhapsTimed, perhaps), confirmed),
      halvings: nextHalvings(position.halvings, verdict, confirmed),
    },
  };
}

/** A broken response halves the next page, so that no oversized body jams a scraper for ever; a delivered one grows it back. */
function nextHalvings(halvings: number, verdict: Verdict, confirmed: Ranges): number {
  if (verdict === 'return' || verdict === 'returnDoubtful') return Math.min(halvings + 1, HALVINGS_MAX);
  return size(confirmed) > 0 ? Math.max(halvings - 1, 0) : halvings;
}
