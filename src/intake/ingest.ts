import { RefusedError, SeriesLimitError, TooLargeError } from '../core/errors.ts';
import type { Loop } from '../core/loop.ts';
import type { Claim, Share } from '../core/memory.ts';
import type { AcceptOptions, Accepted, Acceptor } from './accept.ts';
import { withCommon } from './common.ts';
import type { Draft, DraftFields, Read } from './draft.ts';
import { PARAMETERS } from './draft.ts';
import type { Event } from './event.ts';
import type { TooMuch } from './eventFromDraft.ts';
import type { EventRules } from './rules.ts';
import { eventBytes } from './event.ts';
import { eventFromDraft } from './eventFromDraft.ts';
import { checkId, idIn } from './id.ts';
import type { Sender } from './lastRoom.ts';
import { Layouts } from './layout.ts';

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
  /** Whether events are taken though others are refused. Without it, all are stored or none. */
  readonly isPartial?: boolean;
  /** Hears what becomes of each event before the next is read; with `isPartial`. What is refused is told here and not kept for the answer. */
  readonly hearer?: Hearer;
  /** What becomes of a value that is too long, and of labels beyond the most. */
  readonly tooMuch?: TooMuch;
  /** Whose events these are. */
  readonly sender?: Sender;
}

/** Who sent what can't be mended by its sender. */
export interface Hearer {
  refused(error: RefusedError): void;
  taken(event: Event): void;
}

/** What became of the events of a request. */
export interface Ingested extends Accepted {
  /** Those that keep the rules, in their order, each with the id that it is stored under, if any. */
  readonly events: readonly Event[];
  /** Those that don't, by their places among all. */
  readonly refused: ReadonlyMap<number, RefusedError>;
}

/** The id of a request of several events, as it is remembered. */
export function rememberedRequest(id: string): string {
  return idIn(REQUESTS, id);
}

/** What an event that is refused takes until its error is told, in bytes. An estimate. */
const REFUSED_BYTES = 1_024;

/** What events take is counted in steps of so many bytes: each alone is little. */
const COUNTED_BYTES = 16 * 1024;
/** So many are read before others may have their turns. Few bodies hold more. */
const STEP_EVENTS = 256;

const NONE_REFUSED: ReadonlyMap<number, RefusedError> = new Map();

/** The space of ids that are given to requests of several events. */
const REQUESTS = 'request';

/** The door: what becomes of drafts, whoever sent them and in whatever format. They are checked, and stored. */
export class Ingest {
  readonly #acceptor: Acceptor;
  readonly #rules: EventRules;
  readonly #eventsMax: number;
  readonly #memory: Share;
  readonly #layouts: Layouts;
  readonly #loop: Loop;

  /** `eventsMax`: how many events one body may hold. `memory`: what all that are not stored yet may take. */
  constructor(acceptor: Acceptor, rules: EventRules, eventsMax: number, memory: Share, loop: Loop) {
    this.#acceptor = acceptor;
    this.#rules = rules;
    this.#eventsMax = eventsMax;
    this.#memory = memory;
    this.#layouts = new Layouts(rules);
    this.#loop = loop;
  }

  /** Takes one event that was read whole: what `ingest` does of such a one, without waiting between its parts. Throws as that does. */
  async one(draft: Draft, requestId: string | undefined, sender?: Sender): Promise<Ingested> {
    if (requestId !== undefined) checkId('Idempotency-Key', requestId, this.#rules.limits.idBytesMax);
    const event = eventFromDraft(draft, this.#rules, PARAMETERS, this.#layouts);
    using held = this.#memory.claim();
    held.take(eventBytes(event));
    const events = [event];
    return { ...(await this.#store(events, { requestId, sender }, false)), refused: NONE_REFUSED };
  }

  /** Checks what is common to all events of a body, which no event should be blamed for. Throws a RefusedError. */
  checkCommon(common: Draft): void {
    eventFromDraft(common, this.#rules, PARAMETERS, this.#layouts);
  }

  /**
   * Takes what a format reads, as it reads it: only events that keep the rules are held in memory, and they are stored together at the
   * end. Where `reads` has undefined instead, others have their turns. Throws a RefusedError, whose field begins with the event's place
   * (`[3].labels.env`) in a batch; nothing is stored then.
   */
  async ingest(
    reads: Iterable<Read | undefined> | AsyncIterable<Iterable<Read>>,
    {
      fields = PARAMETERS,
      common = { labels: [] },
      requestId = common.id,
      isBatch = false,
      isPartial = false,
      memory,
      hearer,
      tooMuch = 'refuse',
      sender,
    }: IngestOptions = {},
  ): Promise<Ingested> {
    using own = this.#memory.claim();
    const held = memory ?? own;
    this.checkCommon(common);
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
    const take = function* (this: Ingest, some: Iterable<Read | undefined>): Generator<void, void> {
      for (const read of some) {
        if (read === undefined) {
          yield;
          continue;
        }
        if (place === this.#eventsMax) throw tooMany(this.#eventsMax);
        try {
          const event = this.#check(read, common, fields, tooMuch);
          count(eventBytes(event));
          events.push(event);
          hearer?.taken(event);
        } catch (error) {
          if (!(error instanceof RefusedError) || error instanceof TooLargeError) throw error;
          const placed = isBatch && hearer === undefined ? error.at(`[${place}]`) : error;
          if (!isPartial) throw placed;
          if (hearer !== undefined) hearer.refused(error);
          else {
            count(REFUSED_BYTES);
            refused.set(place, placed);
          }
        }
        place += 1;
        if (place % STEP_EVENTS === 0) yield;
      }
    };
    const takeAll = (some: Iterable<Read | undefined>) => this.#loop.run(take.call(this, some));
    if (Symbol.asyncIterator in reads) for await (const some of reads) await takeAll(some);
    else await takeAll(reads);
    held.take(uncounted);
    return { ...(await this.#store(events, { isPartial, requestId, sender }, isBatch)), refused };
  }

  /** The id of a request is that of its event, if that is the only one and has none of its own. */
  #store(
    events: readonly Event[],
    { requestId, ...options }: AcceptOptions,
    isBatch: boolean,
  ): Promise<Omit<Ingested, 'refused'>> {
    if (requestId === undefined) return this.#accept(events, options, isBatch);
    const only = events[0];
    return !isBatch && only !== undefined && only.id === undefined
      ? this.#accept([{ ...only, id: requestId }], options, isBatch)
      : this.#accept(events, { ...options, requestId: rememberedRequest(requestId) }, isBatch);
  }

  /** Of a body that holds one event, an error needs no place. */
  async #accept(
    events: readonly Event[],
    options: AcceptOptions,
    isBatch: boolean,
  ): Promise<Omit<Ingested, 'refused'>> {
    try {
      return { ...(await this.#acceptor.accept(events, options)), events };
    } catch (error) {
      if (isBatch || !(error instanceof SeriesLimitError)) throw error;
      throw error.cause;
    }
  }

  #check(read: Read, common: Draft, fields: DraftFields, tooMuch: TooMuch): Event {
    if (read instanceof RefusedError) throw read;
    // Who can't react may send ever new names: these would push out what posts have taught.
    const layouts = tooMuch === 'cut' ? undefined : this.#layouts;
    return eventFromDraft(withCommon(common, read, fields), this.#rules, fields, layouts, tooMuch);
  }
}

function tooMany(eventsMax: number): RefusedError {
  return new TooLargeError(
    'body',
    `the body has more than ${eventsMax} events; send fewer at a time or raise batch.eventsMax`,
  );
}
