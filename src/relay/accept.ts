import type { Event } from '../core/event.ts';
import type { Clock } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { Log } from '../log/log.ts';
import type { Counts } from './counts.ts';
import { Turns } from './turns.ts';
import type { Placed, Timeline } from './timeline.ts';

/** How many of the newest entries tell the series' latest times and open pulses after a start. */
const REMEMBERED_ENTRIES_MAX = 50_000;

/** What became of one event: stored by this call, or not stored again, since one of the same id had been. */
export type Outcome = 'accepted' | 'duplicate';

/** What became of events that were taken together. */
export interface Accepted {
  readonly accepted: number;
  readonly duplicates: number;
  /** Of each event, in their order. */
  readonly outcomes: readonly Outcome[];
}

/** Takes events in: gives them their final time, and answers once they are durable (guarantee G1). */
export class Acceptor {
  readonly #log: Log;
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #turns = new Turns();

  constructor(log: Log, timeline: Timeline, clock: Clock, counts: Counts) {
    this.#log = log;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#counts = counts;
  }

  async start(): Promise<void> {
    const { end, trimmed, lastArrived } = this.#log.state();
    const after = offset(Math.max(trimmed, end - REMEMBERED_ENTRIES_MAX));
    const entries = await this.#log.read(after, end, REMEMBERED_ENTRIES_MAX);
    this.#timeline.start(lastArrived, entries, after === trimmed);
  }

  /**
   * Stores events together: all or none, but for those whose id is remembered. Resolves once they are durable. `requestId` stands
   * for all of them: where it is remembered, all are duplicates. Whatever else an event of a known id says is not looked at.
   * Throws an UnavailableError where the log has no room; nothing is stored then, and no id remembered.
   */
  async accept(events: readonly Event[], requestId?: string): Promise<Accepted> {
    const ids = new Set<string>();
    for (const { id } of events) if (id !== undefined) ids.add(id);
    if (requestId !== undefined) ids.add(requestId);
    // Most events have no id, and need not wait for anything.
    if (ids.size === 0) return this.#store(events, new Set(), undefined);
    const all = [...ids];
    return this.#turns.take(all, async () =>
      this.#store(events, new Set(await this.#log.knownIds(all)), requestId),
    );
  }

  async #store(
    events: readonly Event[],
    known: Set<string>,
    requestId: string | undefined,
  ): Promise<Accepted> {
    const isKnownRequest = requestId !== undefined && known.has(requestId);
    const ids: string[] = requestId === undefined ? [] : [requestId];
    const fresh: Event[] = [];
    const outcomes = events.map((event): Outcome => {
      const { id } = event;
      if (isKnownRequest || (id !== undefined && known.has(id))) return 'duplicate';
      if (id !== undefined) {
        known.add(id);
        ids.push(id);
      }
      fresh.push(event);
      return 'accepted';
    });
    const placed = this.#timeline.place(fresh, this.#clock());
    await this.#append(placed, ids);
    const duplicates = events.length - fresh.length;
    this.#counts.accepted += fresh.length;
    this.#counts.duplicates += duplicates;
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
  }
}
