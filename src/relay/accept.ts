import type { SeriesLimitError } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import type { Clock } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import type { Log } from '../log/log.ts';
import type { Counts } from './counts.ts';
import { readRemembered } from './remembered.ts';
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
}

/** How events are taken together. */
export interface AcceptOptions {
  /** Stands for all of them: where it is remembered, all are duplicates. */
  readonly requestId?: string | undefined;
  /** Whether others are stored where some are refused; without it, none is. */
  readonly isPartial?: boolean;
}

/** Takes events in: gives them their final time, and answers once they are durable (guarantee G1). */
export class Acceptor {
  readonly #log: Log;
  readonly #timeline: Timeline;
  readonly #series: SeriesCap;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #turns = new Turns();

  constructor(log: Log, timeline: Timeline, series: SeriesCap, clock: Clock, counts: Counts) {
    this.#log = log;
    this.#timeline = timeline;
    this.#series = series;
    this.#clock = clock;
    this.#counts = counts;
  }

  async start(): Promise<void> {
    const { aheadMaxMs } = this.#timeline.rules;
    const { entries, floor } = await readRemembered(this.#log, REMEMBERED_ENTRIES_MAX, aheadMaxMs);
    this.#timeline.start(this.#log.state().lastArrived, entries, floor);
    this.#series.start(entries, this.#clock());
  }

  /**
   * Stores events together: all or none, but for those whose id is remembered. Resolves once they are durable. Whatever else an event of
   * a known id says is not looked at. Throws an UnavailableError where the log has no room, and a SeriesLimitError of the first event
   * beyond the cap, placed as `[3]`; nothing is stored then, and no id remembered.
   */
  async accept(events: readonly Event[], options: AcceptOptions = {}): Promise<Accepted> {
    const ids = new Set<string>();
    for (const { id } of events) if (id !== undefined) ids.add(id);
    if (options.requestId !== undefined) ids.add(options.requestId);
    // Most events have no id, and need not wait for anything.
    if (ids.size === 0) return this.#store(events, new Set(), options);
    const all = [...ids];
    return this.#turns.take(all, async () =>
      this.#store(events, new Set(await this.#log.knownIds(all)), options),
    );
  }

  async #store(
    events: readonly Event[],
    known: Set<string>,
    { requestId, isPartial = false }: AcceptOptions,
  ): Promise<Accepted> {
    const now = this.#clock();
    const isKnownRequest = requestId !== undefined && known.has(requestId);
    const ids: string[] = requestId === undefined ? [] : [requestId];
    const fresh: Event[] = [];
    const appeared: SeriesText[] = [];
    const outcomes: Outcome[] = [];
    let folded = 0;
    for (const event of events) {
      if (isKnownRequest || (event.id !== undefined && known.has(event.id))) {
        outcomes.push('duplicate');
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
        ids.push(event.id);
      }
      if (admission.isNew) appeared.push(event.series);
      if (admission.isFolded) folded += 1;
      fresh.push(admission.isFolded ? { ...event, series: admission.series } : event);
      outcomes.push('accepted');
    }
    const placed = this.#timeline.place(fresh, now);
    try {
      await this.#append(placed, ids);
    } catch (error) {
      this.#series.takeBack(appeared);
      throw error;
    }
    const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length;
    this.#counts.accepted += fresh.length;
    this.#counts.duplicates += duplicates;
    this.#counts.seriesOverflow.folded += folded;
    for (const { truncated = 0 } of fresh) this.#counts.truncated += truncated;
    this.#counts.retimed += placed.retimed;
    return { accepted: fresh.length, duplicates, outcomes };
  }

  /**
   * Writes the ends of the pulses that are over, if somebody shows them. Throws an UnavailableError where the log has no room; they
   * are tried again.
   */
  async endPulses(wanted: boolean): Promise<void> {
    await this.#append(this.#timeline.endPulses(this.#clock(), wanted));
  }

  async #append(placed: Placed, ids: readonly string[] = []): Promise<void> {
    if (placed.entries.length === 0) return;
    try {
      await this.#log.append(placed.entries, ids);
    } catch (error) {
      placed.undo();
      throw error;
    }
    placed.written();
  }
}
