import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import type { Mode, Offer, Position } from '../core/position.ts';
import { available } from '../core/position.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, common, range, size, union, without } from '../core/range.ts';

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

function maxOffset(...offsets: Offset[]): Offset {
  return offsets.reduce((most, one) => (one > most ? one : most), START);
}
