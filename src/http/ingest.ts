import { withCommon } from '../intake/common.ts';
import type { Draft, DraftFields, Read } from '../intake/draft.ts';
import { PARAMETERS } from '../intake/draft.ts';
import { RefusedError, SeriesLimitError, TooLargeError } from '../core/errors.ts';
import type { Event, EventRules } from '../intake/event.ts';
import { eventBytes, eventFromDraft } from '../intake/event.ts';
import { Layouts } from '../intake/layout.ts';
import { checkId, idIn } from '../intake/id.ts';
import type { Claim, Share } from '../core/memory.ts';
import type { LoopTurns } from './loopTurns.ts';
import type { AcceptOptions, Accepted, Acceptor, Outcome } from '../intake/accept.ts';

export interface IngestOptions {
  /** What the format calls the parts of an event; without it, as parameters are called. */
  readonly fields?: DraftFields;
  /** What the URL says of all events of the body. Its id is the request's. */
  readonly common?: Draft;
  /** An id of the whole request: of its event if that is the only one and has none of its own. */
  readonly requestId?: string | undefined;
  /** Whether the body may hold several events, and is answered so; without it, it holds one. */
  readonly isBatch?: boolean;
  /** What the request holds of the memory for bodies; without it, it holds nothing yet. */
  readonly memory?: Claim | undefined;
  /** Whether events are taken though others are refused, and each is answered for. Without it, all are stored or none. */
  readonly isPartial?: boolean;
}

/** What to answer: a status, and an object to be sent as JSON. */
export interface IngestReply {
  readonly status: 200 | 400 | 429;
  readonly body: object;
  /** With a 429: when to try again, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** What an event that is refused takes until its error is told, in bytes. An estimate. */
const REFUSED_BYTES = 1_024;

/** What events take is counted in steps of so many bytes: each alone is little. */
const COUNTED_BYTES = 16 * 1024;
/** So many are read before others may have their turns. Few bodies hold more. */
const STEP_EVENTS = 256;

/** The space of ids that are given to requests of several events. */
const REQUESTS = 'request';

/** What becomes of events, whatever format they came in: they are checked, stored, and answered for. */
export class Ingest {
  readonly #acceptor: Acceptor;
  readonly #rules: EventRules;
  readonly #eventsMax: number;
  readonly #memory: Share;
  readonly #layouts: Layouts;
  readonly #loop: LoopTurns;

  /** `eventsMax`: how many events one body may hold. `memory`: what all that are not stored yet may take. */
  constructor(acceptor: Acceptor, rules: EventRules, eventsMax: number, memory: Share, loop: LoopTurns) {
    this.#acceptor = acceptor;
    this.#rules = rules;
    this.#eventsMax = eventsMax;
    this.#memory = memory;
    this.#layouts = new Layouts(rules);
    this.#loop = loop;
  }

  /** Takes one event that was read whole: what `ingest` does of such a one, without waiting between its parts. Throws as that does. */
  async one(draft: Draft, requestId: string | undefined): Promise<IngestReply> {
    if (requestId !== undefined) checkId('Idempotency-Key', requestId, this.#rules.limits.idBytesMax);
    const event = eventFromDraft(draft, this.#rules, PARAMETERS, this.#layouts);
    using held = this.#memory.claim();
    held.take(eventBytes(event));
    const accepted = await this.#store([event], { requestId }, false);
    return { status: 200, body: bodyOf(accepted, false) };
  }

  /**
   * Takes what a format reads, as it reads it: only events that keep the rules are held in memory, and they are stored together at the
   * end. Throws a RefusedError, whose field begins with the event's place (`[3].labels.env`) in a batch; nothing is stored then.
   */
  async ingest(
    reads: Iterable<Read> | AsyncIterable<Iterable<Read>>,
    {
      fields = PARAMETERS,
      common = { labels: [] },
      requestId = common.id,
      isBatch = false,
      isPartial = false,
      memory,
    }: IngestOptions = {},
  ): Promise<IngestReply> {
    using own = this.#memory.claim();
    const held = memory ?? own;
    // What the URL says must be right by itself, so that no event is blamed for it.
    eventFromDraft(common, this.#rules, PARAMETERS, this.#layouts);
    if (requestId !== undefined) checkId('Idempotency-Key', requestId, this.#rules.limits.idBytesMax);
    const events: Event[] = [];
    const refused = new Map<number, RefusedError>();
    let place = 0;
    let uncounted = 0;
    const count = (bytes: number): void => {
      uncounted += bytes;
      if (uncounted < COUNTED_BYTES) return;
      held.take(uncounted);
      uncounted = 0;
    };
    const take = function* (this: Ingest, some: Iterable<Read>): Generator<void, void> {
      for (const read of some) {
        if (place === this.#eventsMax) throw tooMany(this.#eventsMax);
        try {
          const event = this.#check(read, common, fields);
          count(eventBytes(event));
          events.push(event);
        } catch (error) {
          if (!(error instanceof RefusedError) || error instanceof TooLargeError) throw error;
          const placed = isBatch ? error.at(`[${place}]`) : error;
          if (!isPartial) throw placed;
          count(REFUSED_BYTES);
          refused.set(place, placed);
        }
        place += 1;
        if (place % STEP_EVENTS === 0) yield;
      }
    };
    const takeAll = (some: Iterable<Read>) => this.#loop.run(take.call(this, some));
    if (Symbol.asyncIterator in reads) for await (const some of reads) await takeAll(some);
    else await takeAll(reads);
    held.take(uncounted);
    const accepted = await this.#store(events, { isPartial, requestId }, isBatch);
    return isPartial ? itemReply(accepted, refused) : { status: 200, body: bodyOf(accepted, isBatch) };
  }

  /** The id of a request is that of its event, if that is the only one and has none of its own. */
  #store(
    events: readonly Event[],
    { requestId, ...options }: AcceptOptions,
    isBatch: boolean,
  ): Promise<Accepted> {
    if (requestId === undefined) return this.#accept(events, options, isBatch);
    const only = events[0];
    return !isBatch && only !== undefined && only.id === undefined
      ? this.#accept([{ ...only, id: requestId }], {}, isBatch)
      : this.#accept(events, { ...options, requestId: idIn(REQUESTS, requestId) }, isBatch);
  }

  /** Of a body that holds one event, an error needs no place. */
  async #accept(events: readonly Event[], options: AcceptOptions, isBatch: boolean): Promise<Accepted> {
    try {
      return await this.#acceptor.accept(events, options);
    } catch (error) {
      if (isBatch || !(error instanceof SeriesLimitError)) throw error;
      throw error.cause;
    }
  }

  #check(read: Read, common: Draft, fields: DraftFields): Event {
    if (read instanceof RefusedError) throw read;
    return eventFromDraft(withCommon(common, read, fields), this.#rules, fields, this.#layouts);
  }
}

function bodyOf({ accepted, duplicates }: Accepted, isBatch: boolean): object {
  if (isBatch) return { accepted, duplicates };
  return accepted === 1 ? { accepted } : { duplicate: true };
}

/** Answers for each event in its place. It is an error where nothing at all was taken: 429 where that may change by itself. */
function itemReply(
  { accepted, duplicates, outcomes }: Accepted,
  refused: ReadonlyMap<number, RefusedError>,
): IngestReply {
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

function tooMany(eventsMax: number): RefusedError {
  return new TooLargeError(
    'body',
    `the body has more than ${eventsMax} events; send fewer at a time or raise batch.eventsMax`,
  );
}
