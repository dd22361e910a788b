import { randomBytes } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../core/millis.ts';
import type { Counts } from '../counting/counts.ts';
import type { AcceptOptions, Accepted } from '../intake/accept.ts';
import type { Event } from '../intake/event.ts';
import { InboxDoor } from '../intake/inboxDoor.ts';
import { SeriesCap } from '../intake/seriesCap.ts';
import type { Inbox } from '../log/inbox.ts';
import { LeadershipLostError } from '../log/log.ts';
import { seriesRules } from './eventRules.ts';
import type { Terms } from './terms.ts';

/** Takes events in on a server that shares its log: the leader appends them, the others put them into the inbox. */
export class SharedDoor implements AsyncDisposable {
  readonly #terms: Terms;
  readonly #inbox: Inbox;
  readonly #door: InboxDoor;
  readonly #clock: Clock;

  constructor(terms: Terms, inbox: Inbox, settings: Settings, clock: Clock, counts: Counts) {
    this.#terms = terms;
    this.#inbox = inbox;
    this.#clock = clock;
    const series = new SeriesCap(seriesRules(settings));
    series.start([], clock());
    const server = randomBytes(8).toString('hex');
    let last = 0;
    const newId = () => `r${server}-${(last += 1).toString(36)}`;
    this.#door = new InboxDoor(inbox, series, clock, counts, newId);
  }

  async accept(events: readonly Event[], options?: AcceptOptions): Promise<Accepted> {
    if (!this.#terms.leads) return this.#door.accept(events, options);
    try {
      return await this.#terms.current.acceptor.accept(events, options);
    } catch (error) {
      // Nothing of it was stored, and no leader is needed.
      if (!(error instanceof LeadershipLostError) || error.isUnknown) throw error;
      return this.#door.accept(events, options);
    }
  }

  async refresh(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    if (this.#terms.leads) await this.#terms.current.refresher.refresh(ids);
    else await this.#inbox.refresh(ids, this.#clock());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inbox[Symbol.asyncDispose]();
  }
}
