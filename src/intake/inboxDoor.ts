import type { SeriesLimitError } from '../core/errors.ts';
import type { Clock } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import type { Counts } from '../counting/counts.ts';
import type { Inbox, Put } from '../log/inbox.ts';
import type { AcceptOptions, Accepted, Outcome } from './accept.ts';
import type { Event } from './event.ts';
import type { SeriesCap } from './seriesCap.ts';

/** Of more events no ids are told, so that none are made. */
const MADE_MAX = 1_000;

/** An event that the cap lets in, and the id that it is put under. */
interface Admitted {
  readonly event: Event;
  readonly id: string | undefined;
  readonly isFolded: boolean;
}

/** What is to be put of a request, and what became of the rest. */
interface Chosen {
  /** In the places of the events; an outcome where nothing is put. */
  readonly all: readonly (Admitted | 'duplicate' | SeriesLimitError)[];
  readonly appeared: readonly SeriesText[];
}

/** Takes events in where another server leads: puts them into the inbox, and answers once they are durable there (guarantee G1). */
export class InboxDoor {
  readonly #inbox: Inbox;
  readonly #series: SeriesCap;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #newId: () => string;

  /** `newId` makes an id that nobody else has. */
  constructor(inbox: Inbox, series: SeriesCap, clock: Clock, counts: Counts, newId: () => string) {
    this.#inbox = inbox;
    this.#series = series;
    this.#clock = clock;
    this.#counts = counts;
    this.#newId = newId;
  }

  /** As `Acceptor.accept`. Where the events stand in the log isn't known yet: `waiting` has the ids to ask by. */
  async accept(events: readonly Event[], options: AcceptOptions = {}): Promise<Accepted> {
    const arrived = this.#clock();
    const chosen = this.#choose(events, options);
    const { requestId } = options;
    const put = chosen.all.flatMap((each) => (typeof each === 'object' && 'event' in each ? [each] : []));
    try {
      const told = await this.#inbox.put({
        events: put.map(({ event: { series, value, sent }, id }) => ({
          series,
          value,
          time: sent ?? arrived,
          id,
        })),
        requestId,
        arrived,
      });
      return this.#tell(chosen, told, requestId);
    } catch (error) {
      this.#series.takeBack(chosen.appeared);
      throw error;
    }
  }

  #choose(events: readonly Event[], { isPartial = false }: AcceptOptions): Chosen {
    const now = this.#clock();
    const appeared: SeriesText[] = [];
    const ids = new Set<string>();
    const all: (Admitted | 'duplicate' | SeriesLimitError)[] = [];
    for (const event of events) {
      if (event.id !== undefined && ids.has(event.id)) {
        all.push('duplicate');
        continue;
      }
      const admission = this.#series.admit(event.series, now);
      if ('refused' in admission) {
        this.#counts.seriesOverflow.refused += 1;
        if (!isPartial) {
          this.#series.takeBack(appeared);
          throw admission.refused.at(`[${all.length}]`);
        }
        all.push(admission.refused);
        continue;
      }
      const { isFolded, isNew, series } = admission;
      if (isNew) appeared.push(event.series);
      if (event.id !== undefined) ids.add(event.id);
      const id = event.id ?? (events.length <= MADE_MAX ? this.#newId() : undefined);
      all.push({ event: isFolded ? { ...event, series } : event, id, isFolded });
    }
    return { all, appeared };
  }

  #tell({ all }: Chosen, { isKnownRequest, known }: Put, requestId: string | undefined): Accepted {
    const counts = this.#counts;
    const waiting: string[] = [];
    const made: (string | null)[] = [];
    let isComplete = true;
    let accepted = 0;
    const outcomes = all.map((each): Outcome => {
      if (isKnownRequest) return 'duplicate';
      made.push(null);
      if (typeof each !== 'object' || !('event' in each)) return each;
      const { event, id, isFolded } = each;
      if (id === undefined) isComplete = requestId !== undefined;
      else waiting.push(id);
      if (id !== undefined && known.has(id)) return 'duplicate';
      accepted += 1;
      if (isFolded) counts.seriesOverflow.folded += 1;
      if (event.truncated !== undefined) counts.truncated += event.truncated;
      if (event.leftOut !== undefined) counts.labelsLeftOut += event.leftOut;
      if (event.id === undefined) made[made.length - 1] = id ?? null;
      return 'accepted';
    });
    const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length;
    counts.accepted += accepted;
    counts.duplicates += duplicates;
    const ids = requestId === undefined ? waiting : [requestId, ...waiting];
    return {
      accepted,
      duplicates,
      outcomes,
      stored: undefined,
      places: [],
      inbox: { made: accepted > 0 ? made : [], waiting: isKnownRequest ? ids.slice(0, 1) : ids, isComplete },
    };
  }
}
