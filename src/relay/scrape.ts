import { collapseLast } from '../core/collapse.ts';
import type { Entry } from '../core/entry.ts';
import type { Evidence } from '../core/evidence.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Clock, Millis } from '../core/millis.ts';
import { makeOffer, markFlushed, settle } from '../core/offer.ts';
import type { Offer, Position } from '../core/position.ts';
import { available, positionAt } from '../core/position.ts';
import type { Ranges } from '../core/range.ts';
import { size, without } from '../core/range.ts';
import type { Mode } from '../core/settling.ts';
import type { Counts } from './counts.ts';
import type { Pages } from './page.ts';
import type { Identity, Scrapers } from './scrapers.ts';
import { countSettlement } from './settlements.ts';

export interface ScrapeRequest {
  readonly identity: Identity;
  readonly mode: Mode;
  readonly requestedAt: Millis;
  /** The scrape timeout that the client announced, in ms. */
  readonly timeoutMs: number | undefined;
}

/** What a scrape gets. `offerId` is undefined where there is nothing to hand out. */
export interface Handout {
  readonly entries: readonly Entry[];
  readonly offerId: number | undefined;
}

/** Hands out what each scraper has not had, and learns from what is seen of each response whether it arrived (G2, G3). */
export class Scrapes {
  readonly #scrapers: Scrapers;
  readonly #pages: Pages;
  readonly #limits: PageLimits;
  readonly #clock: Clock;
  readonly #counts: Counts;
  #lastOfferId = 0;

  constructor(scrapers: Scrapers, pages: Pages, limits: PageLimits, clock: Clock, counts: Counts) {
    this.#scrapers = scrapers;
    this.#pages = pages;
    this.#limits = limits;
    this.#clock = clock;
    this.#counts = counts;
  }

  /**
   * Offers a scraper what it has not had. The offer is on record before this resolves, so that a restart finds it.
   * Throws an UnavailableError for one scraper too many.
   */
  async scrape(request: ScrapeRequest): Promise<Handout> {
    const { id } = await this.#scrapers.seen(request.identity);
    this.#settleElsewhere(id);
    for (;;) {
      const wanted = this.#wanted(id);
      if (size(wanted) === 0) return { entries: [], offerId: undefined };
      const page = await this.#pages.read(wanted, this.#pageLimits(id));
      if (page.entries.length === 0) return { entries: [], offerId: undefined };
      // While the log was read, another request of the same scraper may have taken some of it, or a trim may have dropped it.
      if (size(without(page.ranges, this.#wanted(id))) > 0) continue;
      const shown = shownIn(request.mode, page.entries);
      const collapsed = page.entries.length - shown.length;
      return { entries: shown, offerId: await this.#offer(id, page.ranges, collapsed, request) };
    }
  }

  /** What the next scrape would get. Changes nothing, and makes nobody known. */
  async peek(identity: Identity, mode: Mode): Promise<readonly Entry[]> {
    const position =
      this.#scrapers.get(identity.id)?.position ??
      positionAt(await this.#scrapers.startOf(identity, this.#clock()));
    const page = await this.#pages.read(available(position, this.#pages.end), halved(this.#limits, position));
    return shownIn(mode, page.entries);
  }

  /** The response went into the socket whole. On record at once: after a crash this is what tells sent from unsent. */
  flushed(scraperId: string, offerId: number): void {
    const record = this.#scrapers.get(scraperId);
    if (record?.position.offers.some((offer) => offer.id === offerId) !== true) return;
    void this.#scrapers.update(scraperId, { position: markFlushed(record.position, offerId) });
  }

  /**
   * Something was seen of an offer. Tells whether the offer is settled, by this or by earlier evidence; what comes after that
   * changes nothing.
   */
  observe(scraperId: string, offerId: number, evidence: Evidence): boolean {
    const record = this.#scrapers.get(scraperId);
    if (record?.position.offers.some((offer) => offer.id === offerId) !== true) return true;
    const position = this.#settled(record.position, offerId, evidence);
    if (position === record.position) return false;
    void this.#scrapers.update(scraperId, { position });
    return true;
  }

  /** The scraper comes while offers are out. On the same socket they are settled by now; so these went out on others. */
  #settleElsewhere(id: string): void {
    const before = this.#scrapers.get(id)?.position;
    if (before === undefined) return;
    let position = before;
    for (const offer of before.offers) position = this.#settled(position, offer.id, 'elsewhere');
    if (position !== before) void this.#scrapers.update(id, { position });
  }

  #settled(position: Position, offerId: number, evidence: Evidence): Position {
    const settlement = settle(position, offerId, evidence);
    countSettlement(this.#counts, settlement);
    return settlement.position;
  }

  #wanted(id: string): Ranges {
    const record = this.#scrapers.get(id);
    return record === undefined ? [] : available(record.position, this.#pages.end);
  }

  #pageLimits(id: string): PageLimits {
    const record = this.#scrapers.get(id);
    return record === undefined ? this.#limits : halved(this.#limits, record.position);
  }

  async #offer(id: string, ranges: Ranges, collapsed: number, request: ScrapeRequest): Promise<number> {
    const record = this.#scrapers.get(id);
    if (record === undefined) throw new Error(`scraper ${id} was forgotten in the midst of its scrape`);
    this.#lastOfferId += 1;
    const { mode, requestedAt, timeoutMs } = request;
    const offer: Offer = {
      id: this.#lastOfferId,
      mode,
      phase: 'sending',
      ranges,
      collapsed,
      requestedAt,
      ...(timeoutMs !== undefined && { timeoutMs }),
    };
    await this.#scrapers.update(id, { position: makeOffer(record.position, offer) });
    return offer.id;
  }
}

/** A series may stand only once in an untimed scrape: Prometheus keeps the first of its samples and drops the others. */
function shownIn(mode: Mode, entries: readonly Entry[]): readonly Entry[] {
  return mode === 'timed' ? entries : collapseLast(entries);
}

function halved(limits: PageLimits, { halvings }: Position): PageLimits {
  if (halvings === 0) return limits;
  const share = 2 ** halvings;
  return {
    eventsMax: Math.max(1, Math.floor(limits.eventsMax / share)),
    bytesMax: Math.max(1, Math.floor(limits.bytesMax / share)),
  };
}
