import type { NewEntry } from '../core/entry.ts';
import type { Event } from '../core/event.ts';
import type { Clock } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { Log } from '../log/log.ts';
import type { Counts } from './counts.ts';
import type { Timeline } from './timeline.ts';

/** How many of the newest entries tell the series' latest times after a start: a burst runs ahead of the clock by 1 ms an event. */
const REMEMBERED_ENTRIES_MAX = 20_000;

/** Takes events in: gives them their final time, and answers once they are durable (guarantee G1). */
export class Acceptor {
  readonly #log: Log;
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #counts: Counts;

  constructor(log: Log, timeline: Timeline, clock: Clock, counts: Counts) {
    this.#log = log;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#counts = counts;
  }

  async start(): Promise<void> {
    const { end, trimmed, lastArrived } = this.#log.state();
    const after = offset(Math.max(trimmed, end - REMEMBERED_ENTRIES_MAX));
    this.#timeline.start(lastArrived, await this.#log.read(after, end, REMEMBERED_ENTRIES_MAX));
  }

  /**
   * Stores events together: all or none. Resolves once they are durable.
   * Throws an UnavailableError where the log has no room; nothing is stored then.
   */
  async accept(events: readonly Event[]): Promise<void> {
    const now = this.#clock();
    const entries: NewEntry[] = [];
    let retimed = 0;
    for (const { series, value } of events) {
      const { time, arrived } = this.#timeline.place(series, now);
      if (time !== arrived) retimed += 1;
      entries.push({ kind: 'event', series, value, time, arrived });
    }
    await this.#log.append(entries);
    this.#counts.accepted += events.length;
    this.#counts.retimed += retimed;
  }
}
