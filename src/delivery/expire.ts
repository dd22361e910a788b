import type { Clock, Millis, Monotonic } from '../core/millis.ts';
import { pendingCount } from '../core/position.ts';
import type { IdentifiedBy } from '../log/scraperRecords.ts';
import type { Counts } from '../counting/counts.ts';
import { countDropped } from '../counting/counts.ts';
import type { Pages } from './page.ts';
import type { Scrapes } from './scrape.ts';
import type { Scrapers } from './scrapers.ts';
import type { Sightings } from './sightings.ts';

export interface ExpiryLimits {
  /** How long an untimed offer without evidence stays out, in ms. */
  readonly leaseMs: number;
  /** How long a scraper known by its address alone may stay away, in ms. */
  readonly timeoutMs: number;
  /** The same for one with an id of its own. */
  readonly namedTimeoutMs: number;
  /** Where more than this lies between two rounds, the process stood still or its clock was set: nobody could come, in ms. */
  readonly standstillMs: number;
}

export interface ExpiryParts {
  readonly scrapers: Scrapers;
  readonly scrapes: Scrapes;
  readonly sightings: Sightings;
  readonly pages: Pages;
  readonly limits: ExpiryLimits;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  readonly counts: Counts;
}

/** Ends leases, and forgets scrapers that stay away. */
export class Expiry {
  readonly #scrapers: Scrapers;
  readonly #scrapes: Scrapes;
  readonly #sightings: Sightings;
  readonly #pages: Pages;
  readonly #limits: ExpiryLimits;
  readonly #clock: Clock;
  readonly #elapsed: Monotonic;
  readonly #counts: Counts;
  #lastRun: Millis | undefined;
  /** When each offer that is out was first seen here, in ms of monotonic time, by its number. */
  #outSince: ReadonlyMap<number, number> = new Map();

  constructor({ scrapers, scrapes, sightings, pages, limits, clock, elapsed, counts }: ExpiryParts) {
    this.#scrapers = scrapers;
    this.#scrapes = scrapes;
    this.#sightings = sightings;
    this.#pages = pages;
    this.#limits = limits;
    this.#clock = clock;
    this.#elapsed = elapsed;
    this.#counts = counts;
  }

  /** Throws an UnavailableError where the log has no room to forget somebody; everything else is done all the same. */
  async run(): Promise<void> {
    const now = this.#clock();
    if (this.#lastRun !== undefined && Math.abs(now - this.#lastRun) > this.#limits.standstillMs)
      this.#scrapers.excuseAbsence(now);
    this.#lastRun = now;
    this.#endLeases();
    for (const { id, lastSeen, identifiedBy } of this.#scrapers.all()) {
      if (this.#scrapers.isKept(id) || now - lastSeen < this.#timeoutOf(identifiedBy)) continue;
      await this.forget(id);
    }
  }

  /** A lease counts from the round that sees its offer first, by what no clock can be set to: an offer has only the time of its request. */
  #endLeases(): void {
    const now = this.#elapsed();
    const outSince = new Map<number, number>();
    for (const { id, identifiedBy, position } of this.#scrapers.all()) {
      // What goes to a sink is looked after by its timeout.
      if (identifiedBy === 'sink') continue;
      for (const offer of position.offers) {
        const since = this.#outSince.get(offer.id) ?? now;
        outSince.set(offer.id, since);
        if (now - since >= this.#limits.leaseMs) this.#scrapes.leaseOver(id, offer.id);
      }
    }
    this.#outSince = outSince;
  }

  /** Forgets a scraper, and counts what it had yet to get. Tells whether there was one. */
  async forget(id: string): Promise<boolean> {
    const record = this.#scrapers.get(id);
    if (record === undefined) return false;
    const pending = pendingCount(record.position, this.#pages.end);
    if (!(await this.#scrapers.forget(id, pending))) return false;
    this.#sightings.forget(id);
    countDropped(this.#counts, pending, 'scraper_forgotten', record);
    return true;
  }

  #timeoutOf(identifiedBy: IdentifiedBy): number {
    return identifiedBy === 'address' ? this.#limits.timeoutMs : this.#limits.namedTimeoutMs;
  }
}
