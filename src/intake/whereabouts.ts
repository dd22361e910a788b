import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, ofOffsets, rangeFrom, union } from '../core/range.ts';
import type { Accepted, Stored } from './accept.ts';

/** Where the events of a request are: those it brought, and those that were there before. */
export interface Whereabouts {
  readonly ranges: Ranges;
  /** Whether that is known of all of them. */
  readonly isComplete: boolean;
}

/** Where all events of a request are, whether it stored them or an earlier one did. */
export function whereaboutsOf({
  stored,
  places,
  inbox,
}: Pick<Accepted, 'stored' | 'places' | 'inbox'>): Whereabouts {
  const known = places.filter((place) => place !== undefined);
  const earlier = known.flatMap(({ first, count }) => rangeFrom(first, count));
  const fresh = stored === undefined ? NONE : ofOffsets(eventsOf(stored));
  // Whatever the order of the ids was: a union sorts what it joins, and takes one side as it is if the other is empty.
  const [oldest, ...more] = earlier;
  const ranges = union(oldest === undefined ? fresh : union(fresh, [oldest]), more);
  return { ranges, isComplete: known.length === places.length && inbox === undefined };
}

/** Where the events stand among what was stored with them. */
function eventsOf({ first, entries }: Stored): readonly Offset[] {
  const offsets: Offset[] = [];
  for (const [index, { kind }] of entries.entries())
    if (kind === 'event') offsets.push((first + index) as Offset);
  return offsets;
}
