import { LoopTurns } from '../../src/http/loopTurns.ts';
import type { CollapseHow, Once } from '../../src/delivery/collapse.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Millis } from '../../src/core/millis.ts';
import { Share } from '../../src/core/memory.ts';
import { millis } from '../../src/core/millis.ts';
import type { Mode } from '../../src/core/position.ts';
import { entriesOf } from '../../src/core/run.ts';
import { writeSeries } from '../../src/core/series.ts';
import type { Log } from '../../src/log/log.ts';
import { recordFault } from '../../src/log/recordFault.ts';
import type { Accepted } from '../../src/intake/accept.ts';
import { Acceptor } from '../../src/intake/accept.ts';
import { EventCounters } from '../../src/counting/counters.ts';
import type { Counts } from '../../src/counting/counts.ts';
import { newCounts } from '../../src/counting/counts.ts';
import { IdForgetter } from '../../src/intake/forgetIds.ts';
import { IdRefresher } from '../../src/intake/refreshIds.ts';
import { Expiry } from '../../src/delivery/expire.ts';
import { Pages } from '../../src/delivery/page.ts';
import { Receipts } from '../../src/delivery/receipts.ts';
import { Scrapers } from '../../src/delivery/scrapers.ts';
import { Scrapes } from '../../src/delivery/scrape.ts';
import { SeriesCap } from '../../src/intake/seriesCap.ts';
import { Sightings } from '../../src/delivery/sightings.ts';
import { Tail } from '../../src/delivery/tail.ts';
import { Timeline } from '../../src/intake/timeline.ts';
import { Trimmer } from '../../src/delivery/trim.ts';

export interface HarnessLimits {
  eventsMax: number;
  bytesMax: number;
  leaseMs: number;
  standstillMs: number;
  timeoutMs: number;
  namedTimeoutMs: number;
  scrapersMax: number;
  lookbackMs: number;
  backlogMax: number;
  entriesMax: number;
  logBytesMax: number;
  retentionMinMs: number;
  tailBytesMax: number;
  collapse: CollapseHow;
  pulseWidthMs: number;
  ageMaxMs: number;
  aheadMaxMs: number;
  labels: readonly string[];
  seriesMax: number;
  countersBytesMax: number;
  windowMs: number;
  perHourMax: number;
  overflow: 'refuse' | 'fold';
  metric: string;
  idsMax: number;
}

const DEFAULTS: HarnessLimits = {
  eventsMax: 10_000,
  bytesMax: 8 << 20,
  leaseMs: 360_000,
  standstillMs: Number.POSITIVE_INFINITY,
  timeoutMs: 600_000,
  namedTimeoutMs: 7 * 86_400_000,
  scrapersMax: 100,
  lookbackMs: 300_000,
  backlogMax: 100_000,
  entriesMax: 1_000_000,
  logBytesMax: 1 << 30,
  retentionMinMs: 3_600_000,
  tailBytesMax: 32 << 20,
  collapse: 'last',
  pulseWidthMs: 60_000,
  ageMaxMs: 50 * 60_000,
  aheadMaxMs: 5 * 60_000,
  labels: ['n'],
  seriesMax: 1_000_000,
  countersBytesMax: 1 << 30,
  windowMs: 86_400_000,
  perHourMax: 0,
  overflow: 'refuse',
  metric: 'e',
  idsMax: 1_000_000,
};

/** Both wings on a log, with a clock that only the test turns, and without HTTP. */
/** What a scrape got. */
export interface Scraped {
  readonly entries: readonly Entry[];
  readonly offerId: number | undefined;
}

export class Harness {
  now: Millis = millis(1_700_000_000_000);
  readonly news: string[] = [];
  readonly log: Log;
  readonly limits: HarnessLimits;
  counts!: Counts;
  counters!: EventCounters;
  scrapers!: Scrapers;
  scrapes!: Scrapes;
  sightings!: Sightings;
  expiry!: Expiry;
  trimmer!: Trimmer;
  forgetter!: IdForgetter;
  refresher!: IdRefresher;
  receipts!: Receipts;
  #acceptor!: Acceptor;
  #live = 0;
  /** By how much the clock was set, in ms. */
  #setBy = 0;

  constructor(log: Log, limits: Partial<HarnessLimits> = {}) {
    this.log = log;
    this.limits = { ...DEFAULTS, ...limits };
    const save = log.saveScraper.bind(log);
    log.saveScraper = (record) => {
      // A start would refuse it.
      const fault = recordFault(record);
      if (fault !== undefined) throw new Error(`a record that could not be read again: ${fault}`);
      return save(record);
    };
  }

  /** Starts the relay, or starts it anew on the same log, as after a restart: nothing but the log is left of the old one. */
  async start(known: readonly string[] = []): Promise<void> {
    const { limits, log } = this;
    const clock = () => this.now;
    const elapsed = () => this.now - this.#setBy;
    const counts = (this.counts = newCounts());
    const tail = new Tail(new Share(limits.tailBytesMax));
    tail.start(log.state().end);
    const life = (this.#live += 1);
    log.onCommitted((entries) => {
      if (life === this.#live) tail.push(entries);
    });
    this.counters = new EventCounters(log, limits);
    await this.counters.start();
    const pages = new Pages(log, tail);
    this.#acceptor = new Acceptor(
      log,
      new Timeline(limits, new Share(Infinity)),
      new SeriesCap(limits),
      clock,
      counts,
    );
    await this.#acceptor.start();
    this.scrapers = new Scrapers(
      log,
      tail,
      clock,
      { max: limits.scrapersMax, lookbackMs: limits.lookbackMs },
      counts,
      {
        appeared: ({ id }) => this.news.push(`appeared ${id}`),
        forgotten: ({ id }) => this.news.push(`forgotten ${id}`),
        tooMany: ({ id }) => this.news.push(`tooMany ${id}`),
        unsaved: ({ id }) => this.news.push(`unsaved ${id}`),
      },
    );
    this.sightings = new Sightings((id, warning) => this.news.push(`${warning} ${id}`));
    const { scrapers, sightings } = this;
    this.scrapes = new Scrapes({
      scrapers,
      sightings,
      pages,
      limits,
      showing: limits,
      clock,
      loop: new LoopTurns(),
      counts,
    });
    this.expiry = new Expiry({
      scrapers,
      scrapes: this.scrapes,
      sightings,
      pages,
      limits,
      clock,
      elapsed,
      counts,
    });
    const trimLimits = { ...limits, bytesMax: limits.logBytesMax };
    this.trimmer = new Trimmer({
      log,
      scrapers,
      pages,
      limits: trimLimits,
      clock,
      counts,
      counters: this.counters,
    });
    this.forgetter = new IdForgetter(log, limits, clock, counts);
    this.refresher = new IdRefresher(log, limits.windowMs, clock);
    this.receipts = new Receipts(log, pages, this.scrapers, new LoopTurns());
    await this.scrapers.start(known);
  }

  /** Posts one event of the series `e{n="..."}`. */
  async post(n: string, value = 1, sent?: Millis): Promise<void> {
    const series = writeSeries('e', [{ name: 'n', value: n }]);
    await this.#acceptor.accept([sent === undefined ? { series, value } : { series, value, sent }]);
  }

  /** Posts events of the series `e{n="..."}` together, each with an id where one is given for it. */
  postBatch(
    events: readonly { n: string; id?: string }[],
    requestId?: string,
    isPartial = false,
  ): Promise<Accepted> {
    const checked = events.map(({ n, id }) => {
      const event = { series: writeSeries('e', [{ name: 'n', value: n }]), value: 1 };
      return id === undefined ? event : { ...event, id };
    });
    return this.#acceptor.accept(checked, { requestId, isPartial });
  }

  /** Writes the ends of the pulses that are over. */
  endPulses(): Promise<void> {
    return this.#acceptor.endPulses(true);
  }

  /** A scrape by a scraper with an id of its own (or, `identifiedBy` address, without). */
  async scrape(
    id: string,
    mode: Mode = 'untimed',
    identifiedBy: 'parameter' | 'address' | 'pod' = 'parameter',
    closes = false,
    once?: Once,
  ): Promise<Scraped> {
    const { runs, offerId } = await this.scrapes.scrape({
      identity: { id, identifiedBy, address: '127.0.0.1' },
      mode,
      requestedAt: this.now,
      askedAt: this.now - this.#setBy,
      timeoutMs: 10_000,
      closes,
      format: 'test',
      showsEnds: mode === 'timed',
      connection: 1,
      throughProxy: false,
      isVariable: false,
      memory: new Share(Infinity).claim(),
      addedBytes: 0,
      once,
    });
    // As every format does: only timed samples can be the end of a pulse.
    const entries = entriesOf(runs).filter(({ kind }) => mode === 'timed' || kind === 'event');
    return { entries, offerId };
  }

  /** A scrape that arrives, with proof. Returns the events' numbers. */
  async delivered(id: string, mode: Mode = 'untimed'): Promise<string[]> {
    const { entries, offerId } = await this.scrape(id, mode);
    if (offerId !== undefined) {
      this.scrapes.flushed(id, offerId);
      this.scrapes.observe(id, offerId, 'nextRequest');
    }
    return entries.map(numberOf);
  }

  /** Sets the clock ahead, or back, while no time passes. */
  setClock(byMs: number): void {
    this.now = millis(this.now + byMs);
    this.#setBy += byMs;
  }

  /** Lets time pass, and does what the server does meanwhile. */
  async pass(ms: number): Promise<void> {
    // As each second of it: a lease counts from when it is first looked at.
    await this.expiry.run();
    this.now = millis(this.now + ms);
    this.trimmer.dropBacklogs();
    await this.expiry.run();
    await this.trimmer.run();
    await this.forgetter.run();
  }
}

/** The number that `post` gave. */
export function numberOf(entry: Entry): string {
  return /n="([^"]*)"/.exec(entry.series)?.[1] ?? '';
}
