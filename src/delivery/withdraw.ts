import type { Position } from '../core/position.ts';
import { union } from '../core/range.ts';

/** Takes an offer back that never went out, as if it had not been made: nothing was seen of it, and nothing can be. */
export function withdraw(position: Position, offerId: number): Position {
  const offer = position.offers.find(({ id }) => id === offerId);
  if (offer === undefined) return position;
  return {
    ...position,
    offers: position.offers.filter(({ id }) => id !== offerId),
    returned: union(position.returned, offer.ranges),
  };
}
