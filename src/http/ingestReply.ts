import { RefusedError, SeriesLimitError } from '../core/errors.ts';
import type { Outcome } from '../intake/accept.ts';
import { eventIdsOf } from '../intake/eventIds.ts';
import type { IngestOptions, Ingested } from '../intake/ingest.ts';

/** What to answer: a status, and an object to be sent as JSON. */
export interface IngestReply {
  readonly status: 200 | 400 | 429;
  readonly body: object;
  /** With a 429: when to try again, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** The answer to a post of events: counts, or what became of each in its place. */
export function replyTo(
  ingested: Ingested,
  options: Pick<IngestOptions, 'isBatch' | 'isPartial'> = {},
): IngestReply {
  if (options.isPartial === true) return itemReply(ingested);
  return { status: 200, body: countsOf(ingested, options.isBatch === true) };
}

/** Events without an id of their own are told what stands for them: `GET /api/v1/events/{id}` takes it. */
function countsOf(ingested: Ingested, isBatch: boolean): object {
  const { accepted, duplicates } = ingested;
  const eventIds = eventIdsOf(ingested);
  if (isBatch) return eventIds === undefined ? { accepted, duplicates } : { accepted, duplicates, eventIds };
  if (accepted !== 1) return { duplicate: true };
  return eventIds === undefined ? { accepted } : { accepted, eventId: eventIds[0] };
}

/** What is told of one event. */
interface Told {
  readonly outcome: Outcome | RefusedError;
  readonly eventId?: string | undefined;
}

/** Answers for each event in its place. It is an error where nothing at all was taken: 429 where that may change by itself. */
function itemReply(ingested: Ingested): IngestReply {
  const { accepted, duplicates, outcomes, refused } = ingested;
  const count = outcomes.length + refused.size;
  const eventIds = eventIdsOf(ingested);
  let checked = 0;
  const all = Array.from({ length: count }, (_, place): Told => {
    const wrong = refused.get(place);
    if (wrong !== undefined) return { outcome: wrong };
    const outcome = outcomes[checked] as Outcome;
    const eventId = eventIds?.[checked] ?? undefined;
    checked += 1;
    return { outcome: outcome instanceof SeriesLimitError ? outcome.at(`[${place}]`) : outcome, eventId };
  });
  const items = all.map(({ outcome, eventId }) =>
    outcome instanceof RefusedError
      ? { status: 'refused', error: outcome.message, field: outcome.field }
      : { status: outcome, eventId },
  );
  const body = { accepted, duplicates, refused: count - accepted - duplicates, items };
  if (count === 0 || accepted + duplicates > 0) return { status: 200, body };
  const error = { error: 'every event was refused; see items for why', ...body };
  const first = all[0]?.outcome;
  return refused.size === 0 && first instanceof SeriesLimitError
    ? { status: 429, body: error, retryAfterSeconds: first.retryAfterSeconds }
    : { status: 400, body: error };
}
