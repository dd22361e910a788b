import type { Once } from './collapse.ts';
import type { Evidence } from './settle.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Loop } from '../core/loop.ts';
import type { Clock, Millis } from '../core/millis.ts';
import type { Claim } from '../core/memory.ts';
import type { Offset } from '../core/offset.ts';
import { makeOffer, markFlushed, perhapsTwice } from './offer.ts';
import { settle, countSettlement } from './settle.ts';
import type { Mode, Position } from '../core/position.ts';
import { available, dropRanges, passOver, positionAt } from '../core/position.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, common, size, union, without } from '../core/range.ts';
import type { Run } from '../core/run.ts';
import type { Counts } from '../counting/counts.ts';
import type { Page, Pages } from './page.ts';
import type { Identity, Scrapers, SinkIdentity } from './scrapers.ts';
import { choose } from './select.ts';
import type { Showing, ShowingRules } from './showing.ts';
import { isShownAsItIs, show } from './showing.ts';
import type { Sighting, Sightings } from './sightings.ts';
import type { Stretch } from './stretch.ts';

export interface ScrapeRequest extends Sighting {
  readonly identity: Identity;
  readonly requestedAt: Millis;
  /** The scrape timeout that the client announced, in ms. */
  readonly timeoutMs: number | undefined;
  /** Whether the client announced that it closes the connection after the response. */
  readonly closes: boolean;
  /** What the answer holds of the memory for answers. */
  readonly memory: Claim;
  /** What each sample has beside its series, in bytes. */
  readonly addedBytes: number;
  /** What may stand only once in a timed scrape of each series. */
  readonly once: Once | undefined;
}

/** What a sink asks for. */
export interface SinkRequest extends Sighting {
  readonly identity: SinkIdentity;
  readonly requestedAt: Millis;
  readonly memory: Claim;
  readonly addedBytes: number;
  /** Entries at most, where it takes fewer than a page has. */
  readonly eventsMax: number;
  /** Events older than this are moved, in ms: what its receiver takes. */
  readonly ageMaxMs: number;
}

/** What a scrape gets. `offerId` is undefined where there is nothing to hand out. */
export interface Handout {
  /** As `Showing` has them. */
  readonly runs: readonly Run[];
  readonly offerId: number | undefined;
  /** The entries that are settled with it, shown or not. */
  readonly covered: Ranges;
  /** How many these are. */
  readonly count: number;
  /** How many of these an earlier response may have brought, of which no proof came. */
  readonly perhaps: number;
  /** Whether there was more than a page holds. */
  readonly isFull: boolean;
  /** Where what this scraper gets next begins, if all goes well. */
  readonly next: Offset;
  /** How many entries were settled meanwhile, since the scraper doesn't select them. */
  readonly passedOver: number;
}

/** Hears of an offer that was taken back while its response was still being sent: that response must not be completed. */
export type WithdrawnListener = (offerId: number) => void;

export interface ScrapesParts {
  readonly scrapers: Scrapers;
  readonly sightings: Sightings;
  readonly pages: Pages;
  readonly limits: PageLimits;
  readonly showing: ShowingRules;
  readonly clock: Clock;
  readonly loop: Loop;
  readonly counts: Counts;
}

/** Hands out what each scraper has not had, and learns from what is seen of each response whether it arrived (G2, G3). */
export class Scrapes {
  readonly #scrapers: Scrapers;
  readonly #sightings: Sightings;
  readonly #pages: Pages;
  readonly #limits: PageLimits;
  readonly #showing: ShowingRules;
  readonly #clock: Clock;
  readonly #loop: Loop;
  readonly #counts: Counts;
  readonly #withdrawn: WithdrawnListener[] = [];
  #lastOfferId = 0;

  constructor({ scrapers, sightings, pages, limits, showing, clock, loop, counts }: ScrapesParts) {
    this.#scrapers = scrapers;
    this.#sightings = sightings;
    this.#pages = pages;
    this.#limits = limits;
    this.#showing = showing;
    this.#clock = clock;
    this.#loop = loop;
    this.#counts = counts;
  }

  onWithdrawn(listener: WithdrawnListener): void {
    this.#withdrawn.push(listener);
  }

  /**
   * Offers a scraper what it has not had. The offer is on record before this resolves, so that a restart finds it.
   * Throws an UnavailableError for one scraper too many.
   */
  async scrape(request: ScrapeRequest): Promise<Handout> {
    const { id, saved } = await this.#scrapers.seen(request.identity);
    // Where it fails while nobody waits for it yet, that is still told below.
    saved?.catch(() => undefined);
    try {
      this.#sightings.note(id, request);
      this.#settleElsewhere(id);
      return await this.#handOut(id, request);
    } finally {
      await saved;
    }
  }

  /** The same for a sink. It has one offer out at most, and settles it before it asks again: nothing is to be judged by its coming. */
  async take({ eventsMax, ageMaxMs, ...request }: SinkRequest): Promise<Handout> {
    const { id, saved } = await this.#scrapers.seen(request.identity);
    saved?.catch(() => undefined);
    try {
      this.#sightings.note(id, request);
      const limits = { ...this.#limits, eventsMax: Math.min(eventsMax, this.#limits.eventsMax) };
      const rules = { ...this.#showing, ageMaxMs };
      return await this.#handOut(
        id,
        { ...request, timeoutMs: undefined, closes: false, once: undefined },
        limits,
        rules,
      );
    } finally {
      await saved;
    }
  }

  async #handOut(
    id: string,
    request: ScrapeRequest,
    most = this.#limits,
    rules = this.#showing,
  ): Promise<Handout> {
    const select = this.#scrapers.selectOf(id);
    let passedOver = 0;
    for (;;) {
      const position = this.#scrapers.get(id)?.position;
      if (position === undefined) return this.#nothing(passedOver);
      const { end } = this.#pages;
      const limits = halved(most, position);
      const looks =
        select === undefined ? limits : { ...limits, eventsMax: Math.max(limits.eventsMax, LOOKS) };
      const read = await this.#pages.read(available(position, end), within(looks, request.memory));
      request.memory.resize(memoryOf(read, request.addedBytes));
      if (read.lost > 0) this.#giveUp(id, read);
      if (read.stretches.length === 0) return this.#nothing(passedOver);
      const { page, passed } =
        select === undefined
          ? { page: read, passed: NONE }
          : await this.#loop.run(choose(read, limits.eventsMax, select));
      // While the log was read, another request of the same scraper may have taken some of it, or a trim may have dropped it.
      const now = this.#scrapers.get(id)?.position;
      // Where nothing changed, a second look would find the same.
      const isChanged = now !== position;
      const ranges = union(page.ranges, passed);
      if (now === undefined || (isChanged && size(without(ranges, available(now, this.#pages.end))) > 0))
        continue;
      passedOver += size(passed);
      const start = passed.length === 0 ? now : passOver(now, passed);
      if (page.stretches.length === 0) {
        // A crash in between passes over it once more.
        void this.#scrapers.update(id, { position: start });
        continue;
      }
      const shown = show(request.mode, page, start, request.requestedAt, rules, request.once);
      const next = shown.left[0]?.after ?? ranges.at(-1)?.upTo ?? this.#pages.end;
      const offerId = await this.#offer(id, start, shown, request);
      const { runs, covered } = shown;
      const perhaps = size(common(covered, start.perhapsTimed));
      return { runs, offerId, covered, count: size(covered), perhaps, isFull: next < end, next, passedOver };
    }
  }

  #nothing(passedOver: number): Handout {
    const none = { runs: [], offerId: undefined, covered: NONE, count: 0, perhaps: 0, isFull: false };
    return { ...none, next: this.#pages.end, passedOver };
  }

  /** As `Tail.wholeBeyond`. */
  wholeBeyond(after: Offset): Stretch | undefined {
    return this.#pages.wholeBeyond(after);
  }

  /** Whether a scrape that begins behind an offset will show a stretch as it is, as far as can be told of the stretch alone. */
  showsAsItIs(stretch: Stretch, mode: Mode, after: Offset): boolean {
    return isShownAsItIs(mode, stretch, after, this.#clock(), this.#showing);
  }

  /** What can't be read any more is nobody's to get. */
  #giveUp(id: string, { gaps, lost }: Page): void {
    const before = this.#scrapers.get(id)?.position;
    if (before === undefined) return;
    const { position, dropped } = dropRanges(before, gaps);
    if (dropped === 0) return;
    // A gap may be larger than what was lost in it: offsets that nobody was ever given.
    this.#counts.dropped.damaged += Math.min(lost, dropped);
    void this.#scrapers.update(id, { position });
  }

  /** What the next scrape would get. Changes nothing, and makes nobody known. */
  async peek(
    identity: Identity,
    mode: Mode,
    memory: Claim,
    addedBytes: number,
    once?: Once,
  ): Promise<readonly Run[]> {
    const now = this.#clock();
    const position =
      this.#scrapers.get(identity.id)?.position ?? positionAt(await this.#scrapers.startOf(identity, now));
    const limits = halved(this.#limits, position);
    const bytesMax = Math.min(limits.bytesMax, memory.held);
    const page = await this.#pages.read(available(position, this.#pages.end), { ...limits, bytesMax });
    memory.resize(memoryOf(page, addedBytes));
    return show(mode, page, position, now, this.#showing, once).runs;
  }

  /** The response went into the socket whole. On record at once: after a crash this is what tells sent from unsent. */
  flushed(scraperId: string, offerId: number): void {
    const position = this.#scrapers.get(scraperId)?.position;
    if (position === undefined || !isOpen(position, offerId)) return;
    void this.#scrapers.update(scraperId, { position: markFlushed(position, offerId) });
  }

  /**
   * Something was seen of an offer. Tells whether the offer is settled, by this or by earlier evidence; what comes after that
   * changes nothing.
   */
  observe(scraperId: string, offerId: number, evidence: Evidence): boolean {
    const before = this.#scrapers.get(scraperId)?.position;
    if (before === undefined || !isOpen(before, offerId)) return true;
    const position = this.#settled(before, offerId, evidence);
    if (position === before) return false;
    void this.#scrapers.update(scraperId, { position });
    return !isOpen(position, offerId);
  }

  /** Nothing was seen of an offer for the time of its lease. */
  leaseOver(scraperId: string, offerId: number): void {
    const offer = this.#scrapers.get(scraperId)?.position.offers.find(({ id }) => id === offerId);
    if (!this.observe(scraperId, offerId, 'leaseOver')) return;
    if (offer?.phase === 'sending') for (const listener of this.#withdrawn) listener(offerId);
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

  async #offer(id: string, position: Position, shown: Showing, request: ScrapeRequest): Promise<number> {
    this.#lastOfferId += 1;
    const { mode, requestedAt, timeoutMs, closes } = request;
    const { covered, left, collapsed, hidden, moved, movedCount } = shown;
    const offer = {
      id: this.#lastOfferId,
      mode,
      phase: 'sending',
      ranges: covered,
      collapsed,
      ...(hidden !== undefined && { hidden }),
      requestedAt,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(closes && { closes }),
    } as const;
    this.#counts.moved += movedCount;
    this.#counts.deliveries.doubtful += perhapsTwice(position, mode, covered);
    await this.#scrapers.update(id, { position: { ...makeOffer(position, offer, left), moved } });
    return offer.id;
  }
}

/** Whether evidence for the offer still matters. */
function isOpen({ offers, repeats }: Position, offerId: number): boolean {
  return offers.some(({ id }) => id === offerId) || repeats.some(({ id }) => id === offerId);
}

/** Entries that are looked at, at least, by who selects some of them: one alone is asked for while one that is refused is looked for. */
const LOOKS = 500;
/** A page may have so much whatever else is under way, in bytes: a scrape that brought nothing would be none. */
const PAGE_BYTES_MIN = 64 * 1024;
/** What an entry takes beside its line, and what is rendered of it, while its page is made. */
const ENTRY_BYTES = 200;

/** Limits for which there is memory. What is taken for them is to be put right once it is known. */
function within({ eventsMax, bytesMax }: PageLimits, memory: Claim): PageLimits {
  memory.resize(0);
  const room = Math.max(memory.takePart(bytesMax), Math.min(PAGE_BYTES_MIN, bytesMax));
  memory.resize(room);
  return { eventsMax, bytesMax: room };
}

/** What it takes to make a scrape of a page, in bytes; what is shared was counted when it was made. */
function memoryOf({ stretches }: Page, addedBytes: number): number {
  let bytes = 0;
  for (const stretch of stretches)
    if (!stretch.isShared) bytes += stretch.bytes * 2 + stretch.length * (ENTRY_BYTES + addedBytes * 2);
  return bytes;
}

function halved(limits: PageLimits, { halvings }: Position): PageLimits {
  if (halvings === 0) return limits;
  const share = 2 ** halvings;
  return {
    eventsMax: Math.max(1, Math.floor(limits.eventsMax / share)),
    bytesMax: Math.max(1, Math.floor(limits.bytesMax / share)),
  };
}
