import type { Clock } from '../core/millis.ts';
import { pendingCount } from '../core/position.ts';
import type { IdentifiedBy, ScraperRecord } from '../log/log.ts';
import type { Counts } from './counts.ts';
import type { Pages } from './page.ts';
import type { Scrapes } from './scrape.ts';
import type { Scrapers } from './scrapers.ts';

export interface ExpiryLimits {
  /** How long an untimed offer without evidence stays out, in ms. */
  readonly leaseMs: number;
  /** How long a scraper known by its address alone may stay away, in ms. */
  readonly timeoutMs: number;
  /** The same for one with an id of its own. */
  readonly namedTimeoutMs: number;
}

/** Ends leases, and forgets scrapers that stay away. */
export class Expiry {
  readonly #scrapers: Scrapers;
  readonly #scrapes: Scrapes;
  readonly #pages: Pages;
  readonly #limits: ExpiryLimits;
  readonly #clock: Clock;
  readonly #counts: Counts;

  constructor(
    scrapers: Scrapers,
    scrapes: Scrapes,
    pages: Pages,
    limits: ExpiryLimits,
    clock: Clock,
    counts: Counts,
  ) {
    this.#scrapers = scrapers;
    this.#scrapes = scrapes;
    this.#pages = pages;
    this.#limits = limits;
    this.#clock = clock;
    this.#counts = counts;
  }

  async run(): Promise<void> {
    const now = this.#clock();
    for (const record of this.#scrapers.all()) {
      for (const offer of record.position.offers) {
        if (now - offer.requestedAt >= this.#limits.leaseMs)
          this.#scrapes.observe(record.id, offer.id, 'leaseOver');
      }
      if (now - record.lastSeen >= this.#timeoutOf(record.identifiedBy)) await this.#forget(record);
    }
  }

  async #forget({ id }: ScraperRecord): Promise<void> {
    const record = this.#scrapers.get(id);
    if (record === undefined) return;
    const pending = pendingCount(record.position, this.#pages.end);
    this.#counts.dropped.scraper_forgotten += pending;
    await this.#scrapers.forget(id, pending);
  }

  #timeoutOf(identifiedBy: IdentifiedBy): number {
    return identifiedBy === 'address' ? this.#limits.timeoutMs : this.#limits.namedTimeoutMs;
  }
}
