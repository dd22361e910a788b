import { eventIdOf } from '../core/eventId.ts';
import type { Offset } from '../core/offset.ts';
import type { Ingested } from './ingest.ts';

/** Of more events the ids are not told: an answer that nobody reads must stay small. */
const TOLD_MAX = 1_000;

/**
 * The event ids of what was stored without an id of its own, in the places of all events that keep the rules. Undefined where there is
 * none, or where there are too many events to tell them.
 */
export function eventIdsOf({
  events,
  outcomes,
  stored,
  inbox,
}: Pick<Ingested, 'events' | 'outcomes' | 'stored' | 'inbox'>): readonly (string | null)[] | undefined {
  if (inbox !== undefined) return inbox.made.some((id) => id !== null) ? inbox.made : undefined;
  if (stored === undefined || events.length > TOLD_MAX) return undefined;
  const { first, entries } = stored;
  let at = 0;
  let isAny = false;
  const ids = outcomes.map((outcome, index) => {
    if (outcome !== 'accepted') return null;
    while (entries[at]?.kind === 'end') at += 1;
    const entry = entries[at];
    const place = (first + at) as Offset;
    at += 1;
    if (entry === undefined || events[index]?.id !== undefined) return null;
    isAny = true;
    return eventIdOf(place, entry.arrived);
  });
  return isAny ? ids : undefined;
}
