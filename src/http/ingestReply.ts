import { RefusedError, SeriesLimitError } from '../core/errors.ts';
import type { Accepted, Outcome } from '../intake/accept.ts';
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

function countsOf({ accepted, duplicates }: Accepted, isBatch: boolean): object {
  if (isBatch) return { accepted, duplicates };
  return accepted === 1 ? { accepted } : { duplicate: true };
}

/** Answers for each event in its place. It is an error where nothing at all was taken: 429 where that may change by itself. */
function itemReply({ accepted, duplicates, outcomes, refused }: Ingested): IngestReply {
  const count = outcomes.length + refused.size;
  const checked = outcomes[Symbol.iterator]();
  const all = Array.from({ length: count }, (_, place): Outcome | RefusedError => {
    const outcome = refused.get(place) ?? (checked.next().value as Outcome);
    return outcome instanceof SeriesLimitError ? outcome.at(`[${place}]`) : outcome;
  });
  const items = all.map((outcome) =>
    outcome instanceof RefusedError
      ? { status: 'refused', error: outcome.message, field: outcome.field }
      : { status: outcome },
  );
  const body = { accepted, duplicates, refused: count - accepted - duplicates, items };
  if (count === 0 || accepted + duplicates > 0) return { status: 200, body };
  const error = { error: 'every event was refused; see items for why', ...body };
  const [first] = all;
  return refused.size === 0 && first instanceof SeriesLimitError
    ? { status: 429, body: error, retryAfterSeconds: first.retryAfterSeconds }
    : { status: 400, body: error };
}
