import type { SeriesLimitError } from '../core/errors.ts';
import type { Event } from './event.ts';
import type { NewEntry } from '../core/entry.ts';
import type { Clock, Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { IdPlace, Ids, NewId } from '../log/ids.ts';
import { IdTakenError } from '../log/ids.ts';
import type { InboxEnd, MovedId, WaitingPost } from '../log/inbox.ts';
import type { Notes } from '../log/notes.ts';
import type { Counts } from '../counting/counts.ts';
import { AheadMark } from './aheadMark.ts';
import { readRemembered } from './remembered.ts';
import type { Sender } from './lastRoom.ts';
import type { SeriesCap } from './seriesCap.ts';
import { Turns } from './turns.ts';
import type { Placed, Timeline } from './timeline.ts';

/** How many of the newest entries tell the series' latest times and open pulses after a start. */
const REMEMBERED_ENTRIES_MAX = 50_000;

/** What became of one event: stored by this call, or not stored again, since one of the same id had been, or refused. */
export type Outcome = 'accepted' | 'duplicate' | SeriesLimitError;

/** What became of events that were taken together. */
export interface Accepted {
  readonly accepted: number;
  readonly duplicates: number;
  /** Of each event, in their order. */
  readonly outcomes: readonly Outcome[];
  /** What was stored; undefined where nothing was. */
  readonly stored: Stored | undefined;
  /** Where the duplicates stand; undefined for one of which that is not known. An id that several of them share stands once. */
  readonly places: readonly (IdPlace | undefined)[];
  /** Of events that lie in the inbox, and have no place in the log yet. */
  readonly inbox?: InInbox;
}

/** What is known of events in the inbox. */
export interface InInbox {
  /** Of each event the id that was made for it; null where it has one of its own, or was not stored. */
  readonly made: readonly (string | null)[];
  /** The ids by which they can be found once they are in the log. */
  readonly waiting: readonly string[];
  /** Whether all of them can be found so. */
  readonly isComplete: boolean;
}

/** What stands in the log of events that were taken together: the events in their order, and ends of pulses before some of them. */
export interface Stored {
  readonly first: Offset;
  readonly entries: readonly NewEntry[];
}

/** How events are taken together. */
export interface AcceptOptions {
  /** Stands for all of them: where it is remembered, all are duplicates. */
  readonly requestId?: string | undefined;
  /** Whether others are stored where some are refused; without it, none is. */
  readonly isPartial?: boolean;
  /** Who sent them. */
  readonly sender?: Sender | undefined;
}

/** What is to be done for events that were taken together. */
interface Chosen {
  /** Those to be stored. */
  readonly fresh: readonly Event[];
  /** To be remembered: each with the index of its event among these, that of the request without. */
  readonly ids: readonly FreshId[];
  readonly outcomes: readonly Outcome[];
  readonly duplicates: number;
  readonly places: Accepted['places'];
  /** Series that are new by them. */
  readonly appeared: readonly SeriesText[];
  /** How many of them are stored in a series that is not theirs. */
  readonly folded: number;
}

interface FreshId {
  readonly id: string;
  readonly event?: number;
}

type KnownIds = Awaited<ReturnType<Ids['knownIds']>>;

const NO_IDS: KnownIds = new Map();
const NOTHING: Chosen = {
  fresh: [],
  ids: [],
  outcomes: [],
  duplicates: 0,
  places: [],
  appeared: [],
  folded: 0,
};

/** Takes events in: gives them their final time, and answers once they are durable (guarantee G1). */
export class Acceptor {
  readonly #log: EntryLog & Ids;
  readonly #timeline: Timeline;
  readonly #series: SeriesCap;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #ahead: AheadMark;
  readonly #turns = new Turns();

  constructor(
    log: EntryLog & Ids & Notes,
    timeline: Timeline,
    series: SeriesCap,
    clock: Clock,
    counts: Counts,
  ) {
    this.#log = log;
    this.#ahead = new AheadMark(log);
    this.#timeline = timeline;
    this.#series = series;
    this.#clock = clock;
    this.#counts = counts;
  }

  async start(): Promise<void> {
    const { rules, rememberedBytesMax: bytesMax } = this.#timeline;
    const limits = { entriesMax: REMEMBERED_ENTRIES_MAX, bytesMax };
    const { entries, floor } = await readRemembered(this.#log, this.#ahead, limits, rules.aheadMaxMs);
    this.#timeline.start(this.#log.state().lastArrived, entries, floor);
    this.#series.start(entries, this.#clock());
  }

  /**
   * Stores events together: all or none, but for those whose id is remembered. Resolves once they are durable. Whatever else an event of
   * a known id says is not looked at. Rejects with an UnavailableError where the log has no room, and with a SeriesLimitError of the first
   * event beyond the cap, placed as `[3]`; nothing is stored then, and no id remembered.
   */
  accept(events: readonly Event[], options: AcceptOptions = {}): Promise<Accepted> {
    // Most events have no id, and need not wait for anything.
    if (options.requestId === undefined && !events.some(hasId)) {
      return this.#series.isUnlimited
        ? this.#storeAll(events, options)
        : this.#storeChosen(events, [], options);
    }
    const ids = idsOf(events, options.requestId);
    return this.#turns.take(ids, () => this.#storeKnowing(ids, events, options));
  }

  async #storeKnowing(
    ids: readonly string[],
    events: readonly Event[],
    options: AcceptOptions,
  ): Promise<Accepted> {
    for (;;) {
      try {
        return await this.#storeChosen(events, ids, options);
      } catch (error) {
        if (!(error instanceof IdTakenError)) throw error;
      }
    }
  }

  /** Moves what lies in the inbox into the log, at the times that are final. Throws an UnavailableError; it then stays in the inbox. */
  async takeOver(posts: readonly WaitingPost[], inbox: Pick<InboxEnd, 'move'>): Promise<void> {
    const events = posts.flatMap((post) =>
      post.events.map(({ series, value, time }): Event => ({ series, value, sent: time })),
    );
    const placed = this.#timeline.place(events, this.#clock());
    const { entries } = placed;
    const keys = posts.map(({ key }) => key);
    try {
      await inbox.move(keys, entries, movedIds(posts, entries));
    } catch (error) {
      placed.undo();
      throw error;
    }
    placed.written();
    this.#counts.retimed += placed.retimed;
  }

  #storeAll(events: readonly Event[], { sender }: AcceptOptions): Promise<Accepted> {
    const chosen = { ...NOTHING, fresh: events, outcomes: events.map(() => 'accepted' as const) };
    return this.#write(this.#timeline.place(events, this.#clock(), sender), chosen);
  }

  async #storeChosen(
    events: readonly Event[],
    ids: readonly string[],
    options: AcceptOptions,
  ): Promise<Accepted> {
    const known = ids.length === 0 ? NO_IDS : await this.#log.knownIds(ids);
    const now = this.#clock();
    const chosen = this.#choose(events, known, options, now);
    try {
      return await this.#write(this.#timeline.place(chosen.fresh, now, options.sender), chosen);
    } catch (error) {
      this.#series.takeBack(chosen.appeared);
      throw error;
    }
  }

  /** Leaves out what is known, and what is beyond the cap. Throws as `accept` rejects. */
  #choose(
    events: readonly Event[],
    knownIds: KnownIds,
    { requestId, isPartial = false }: AcceptOptions,
    now: Millis,
  ): Chosen {
    const known = new Set(knownIds.keys());
    const isKnownRequest = requestId !== undefined && known.has(requestId);
    const ids: FreshId[] = requestId === undefined ? [] : [{ id: requestId }];
    const again = new Set<string>();
    const fresh: Event[] = [];
    const appeared: SeriesText[] = [];
    const outcomes: Outcome[] = [];
    let duplicates = 0;
    let folded = 0;
    for (const event of events) {
      if (isKnownRequest || (event.id !== undefined && known.has(event.id))) {
        outcomes.push('duplicate');
        duplicates += 1;
        // Of a request that is known, too: some of its events may have come with others before.
        if (event.id !== undefined) again.add(event.id);
        continue;
      }
      const admission = this.#series.admit(event.series, now);
      if ('refused' in admission) {
        this.#counts.seriesOverflow.refused += 1;
        if (!isPartial) {
          this.#series.takeBack(appeared);
          throw admission.refused.at(`[${outcomes.length}]`);
        }
        outcomes.push(admission.refused);
        continue;
      }
      if (event.id !== undefined) {
        known.add(event.id);
        ids.push({ id: event.id, event: fresh.length });
      }
      if (admission.isNew) appeared.push(event.series);
      if (admission.isFolded) folded += 1;
      fresh.push(admission.isFolded ? { ...event, series: admission.series } : event);
      outcomes.push('accepted');
    }
    if (isKnownRequest) again.add(requestId);
    const places: (IdPlace | undefined)[] = [];
    // One that came twice in this request alone stands among what is stored now.
    for (const id of again) if (knownIds.has(id)) places.push(knownIds.get(id));
    return { fresh, ids, outcomes, duplicates, places, appeared, folded };
  }

  /** Saves what makes the next start shorter. */
  async save(): Promise<void> {
    await this.#ahead.save();
  }

  /**
   * Writes the ends of the pulses that are over, if somebody shows them. Throws an UnavailableError where the log has no room; they
   * are tried again.
   */
  async endPulses(wanted: boolean): Promise<void> {
    await this.#write(this.#timeline.endPulses(this.#clock(), wanted), NOTHING);
  }

  async #write(placed: Placed, chosen: Chosen): Promise<Accepted> {
    const { fresh, ids, outcomes, duplicates, places, folded } = chosen;
    const { entries } = placed;
    let stored: Stored | undefined;
    if (entries.length > 0) {
      try {
        stored = { first: await this.#log.append(entries, placesOf(ids, entries)), entries };
      } catch (error) {
        placed.undo();
        throw error;
      }
    }
    // Also where nothing had to be written: what was placed is as it should be.
    placed.written();
    const counts = this.#counts;
    counts.accepted += fresh.length;
    counts.duplicates += duplicates;
    counts.seriesOverflow.folded += folded;
    for (const { truncated, leftOut } of fresh) {
      if (truncated !== undefined) counts.truncated += truncated;
      if (leftOut !== undefined) counts.labelsLeftOut += leftOut;
    }
    counts.retimed += placed.retimed;
    return { accepted: fresh.length, duplicates, outcomes, stored, places };
  }
}

/** The ids with the entries that they stand for, of which some may be ends of pulses. */
function placesOf(ids: readonly FreshId[], entries: readonly NewEntry[]): readonly NewId[] {
  if (ids.length === 0) return [];
  const events: number[] = [];
  for (const [index, { kind }] of entries.entries()) if (kind === 'event') events.push(index);
  return ids.map(({ id, event }) =>
    event === undefined
      ? { id, at: 0, count: entries.length }
      : { id, at: events[event] as number, count: 1 },
  );
}

/** The ids of what is moved, with the entries that they stand for; one whose events were all known stands for none. */
function movedIds(posts: readonly WaitingPost[], entries: readonly NewEntry[]): readonly MovedId[] {
  const at: number[] = [];
  for (const [index, { kind }] of entries.entries()) if (kind === 'event') at.push(index);
  const ids: MovedId[] = [];
  let next = 0;
  for (const { events, request } of posts) {
    const first = at[next];
    for (const { hash } of events) {
      if (hash !== undefined) ids.push({ hash, at: at[next], count: 1 });
      next += 1;
    }
    if (request === undefined) continue;
    const last = at[next - 1];
    if (events.length === 0 || first === undefined || last === undefined)
      ids.push({ hash: request, at: undefined, count: 0 });
    else ids.push({ hash: request, at: first, count: last - first + 1 });
  }
  return ids;
}

function hasId({ id }: Event): boolean {
  return id !== undefined;
}

/** All ids that are named, each once. */
function idsOf(events: readonly Event[], requestId: string | undefined): readonly string[] {
  const [first] = events;
  // Most requests that have any.
  if (events.length === 1 && first?.id !== undefined && requestId === undefined) return [first.id];
  const ids = new Set<string>();
  for (const { id } of events) if (id !== undefined) ids.add(id);
  if (requestId !== undefined) ids.add(requestId);
  return [...ids];
}
