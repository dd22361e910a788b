import type { Event } from '../core/event.ts';
import type { Clock } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { Log } from '../log/log.ts';
import type { Counts } from './counts.ts';
import type { Placed, Timeline } from './timeline.ts';

/** How many of the newest entries tell the series' latest times and open pulses after a start. */
const REMEMBERED_ENTRIES_MAX = 50_000;

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
    const entries = await this.#log.read(after, end, REMEMBERED_ENTRIES_MAX);
    this.#timeline.start(lastArrived, entries, after === trimmed);
  }

  /**
   * Stores events together: all or none. Resolves once they are durable.
   * Throws an UnavailableError where the log has no room; nothing is stored then.
   */
  async accept(events: readonly Event[]): Promise<void> {
    const placed = this.#timeline.place(events, this.#clock());
    await this.#append(placed);
    this.#counts.accepted += events.length;
    this.#counts.retimed += placed.retimed;
  }

  /**
   * Writes the ends of the pulses that are over, if somebody shows them. Throws an UnavailableError where the log has no room; they
   * are tried again.
   */
  async endPulses(wanted: boolean): Promise<void> {
    await this.#append(this.#timeline.endPulses(this.#clock(), wanted));
  }

  async #append(placed: Placed): Promise<void> {
    if (placed.entries.length === 0) return;
    try {
      await this.#log.append(placed.entries);
    } catch (error) {
      placed.undo();
      throw error;
    }
    placed.written();
  }
}
