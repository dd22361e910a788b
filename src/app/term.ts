import type { Settings } from '../config/settings.ts';
import { UnavailableError } from '../core/errors.ts';
import type { Memory } from '../core/memory.ts';
import { Share } from '../core/memory.ts';
import type { Clock, Monotonic } from '../core/millis.ts';
import { EventCounters } from '../counting/counters.ts';
import type { Counts } from '../counting/counts.ts';
import { countRepair } from '../counting/counts.ts';
import { Expiry } from '../delivery/expire.ts';
import { WARNINGS } from '../delivery/overview.ts';
import { Pages } from '../delivery/page.ts';
import { Scrapes } from '../delivery/scrape.ts';
import { Scrapers } from '../delivery/scrapers.ts';
import { Sightings } from '../delivery/sightings.ts';
import { Tail } from '../delivery/tail.ts';
import { Trimmer } from '../delivery/trim.ts';
import { Acceptor } from '../intake/accept.ts';
import { IdForgetter } from '../intake/forgetIds.ts';
import { IdRefresher } from '../intake/refreshIds.ts';
import { SeriesCap } from '../intake/seriesCap.ts';
import { Timeline } from '../intake/timeline.ts';
import { Mover } from '../intake/mover.ts';
import type { InboxEnd } from '../log/inbox.ts';
import type { Damage, Log } from '../log/log.ts';
import type { newsFor } from '../observe/news.ts';
import type { WaitParts } from '../http/waitingPosts.ts';
import { seriesRules } from './eventRules.ts';
import type { FamilyGroup } from '../render/families.ts';
import { Housekeeping } from './housekeeping.ts';
import { openLog } from './openLog.ts';
import { counterRules, expiryLimits, idsMaxOf, showingRules, timeRules, trimLimits } from './rules.ts';
import { Sinks } from './sinks.ts';
import { viewsOf } from './views.ts';
import { waitsOf } from './waits.ts';

/** How often pulses, leases, timeouts, backlogs and the log's limits are looked after, in ms. */
const HOUSEKEEPING_EVERY_MS = 1_000;
/** How often what a start needs is saved, in rounds of that: what came in since is read again after a crash. */
const SAVED_EVERY = 10;

export interface TermParts {
  readonly settings: Settings;
  readonly version: string;
  /** Ids that the settings make known. */
  readonly known: readonly string[];
  readonly memory: Memory;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  readonly counts: Counts;
  readonly news: ReturnType<typeof newsFor>;
  /** The server's own metrics, as they are when they are asked for. */
  readonly ownMetrics: () => readonly FamilyGroup[];
}

/** Whether others put events into its inbox. */
function isShared(log: Log): log is Log & InboxEnd {
  return log.readInbox !== undefined;
}

/** What a term holds of the memory is its own: whatever is left of it when another begins goes with it. */
function ownShares(memory: Memory): Memory {
  const own = ({ bytesMax }: Share) => new Share(bytesMax);
  const { tail, rendered, series } = memory;
  return { ...memory, tail: own(tail), rendered: own(rendered), series: own(series) };
}

/**
 * What orders events and delivers them, with the log that it owns: timeline, scrapers, sinks, housekeeping. It is started once, and stopped once.
 * Constructing does no I/O. Throws a ConfigError where settings don't fit together.
 */
export class Term implements AsyncDisposable {
  readonly log: Log;
  readonly memory: Memory;
  readonly pages: Pages;
  readonly acceptor: Acceptor;
  readonly refresher: IdRefresher;
  readonly scrapers: Scrapers;
  readonly scrapes: Scrapes;
  readonly sinks: Sinks;
  readonly counters: EventCounters;
  readonly waits: WaitParts;
  readonly views: ReturnType<typeof viewsOf>;
  readonly #tail: Tail;
  readonly #known: readonly string[];
  readonly #housekeeping: Housekeeping;
  readonly #mover: Mover | undefined;
  readonly #news: TermParts['news'];
  readonly #counts: Counts;
  /** What was come upon before it was ready: one line tells it all. */
  #damages: Damage[] | undefined = [];
  #rounds = 0;
  #isOver = false;

  constructor({
    settings,
    version,
    known,
    memory: shares,
    clock,
    elapsed,
    counts,
    news,
    ownMetrics,
  }: TermParts) {
    const memory = (this.memory = ownShares(shares));
    this.#known = known;
    this.#news = news;
    this.#counts = counts;
    const log = (this.log = openLog(settings, memory));
    const tail = (this.#tail = new Tail(memory.tail, settings['tail.bytesMax']));
    log.onCommitted((entries) => tail.push(entries));
    const pages = (this.pages = new Pages(log, tail));
    this.acceptor = new Acceptor(
      log,
      new Timeline(timeRules(settings), memory.series),
      new SeriesCap(seriesRules(settings)),
      clock,
      counts,
    );
    const scraperLimits = { max: settings['scrapers.max'], lookbackMs: settings['scrapers.lookback'] };
    log.onDamage((damage) => {
      if (this.#damages === undefined) news.damaged([damage]);
      else this.#damages.push(damage);
    });
    log.onRepair((repair) => {
      countRepair(counts, repair);
      news.repaired(repair);
    });
    log.onStore?.(news.store);
    const scrapers = (this.scrapers = new Scrapers(log, tail, clock, scraperLimits, counts, news));
    const sightings = new Sightings((id, warning) => news.warned(id, WARNINGS[warning]));
    const pageLimits = { eventsMax: settings['scrape.eventsMax'], bytesMax: settings['scrape.bytesMax'] };
    const scrapes = (this.scrapes = new Scrapes({
      scrapers,
      sightings,
      pages,
      limits: pageLimits,
      showing: showingRules(settings),
      clock,
      counts,
    }));
    const sinkParts = {
      scrapes,
      leads: () => this.isOwned,
      counts,
      memory: memory.answers,
      clock,
      elapsed,
      news,
      version,
    };
    const sinks = (this.sinks = new Sinks(settings, sinkParts, ownMetrics));
    const counters = (this.counters = new EventCounters(log, counterRules(settings)));
    const expiry = new Expiry({
      scrapers,
      scrapes,
      sightings,
      pages,
      limits: expiryLimits(settings),
      clock,
      elapsed,
      counts,
    });
    const limits = trimLimits(settings, memory);
    const trimmer = new Trimmer({ log, scrapers, pages, limits, clock, counts, counters });
    const idLimits = { windowMs: settings['ids.window'], idsMax: idsMaxOf(settings, memory) };
    const forgetter = new IdForgetter(log, idLimits, clock, counts);
    this.refresher = new IdRefresher(log, idLimits.windowMs, clock);
    if (isShared(log)) this.#mover = new Mover(log, this.acceptor, this.refresher);
    this.#housekeeping = new Housekeeping(
      [
        () => this.acceptor.endPulses(sightings.endsShown),
        () => expiry.run(),
        () => trimmer.run(),
        () => forgetter.run(),
        () => this.#saveRegularly(),
      ],
      (error) => news.postponed(error),
    );
    this.waits = waitsOf(settings, memory, log, pages, scrapers, sinks);
    this.views = viewsOf({ log, pages, scrapers, sightings, expiry, sinks });
  }

  /** Opens the log, and goes on where the one before ended. Throws a LogOpenError. `port`: where this server listens. */
  async start(port: number): Promise<void> {
    await this.log.start();
    this.#tail.start(this.log.state().end);
    if (await this.counters.start()) {
      const repair = { part: 'counters', lost: 1 } as const;
      countRepair(this.#counts, repair);
      this.#news.repaired(repair);
    }
    await this.acceptor.start();
    await this.scrapers.start(this.#known, await this.sinks.load(port));
    if (this.#isOver) return;
    this.#housekeeping.start(HOUSEKEEPING_EVERY_MS);
    this.#mover?.start();
    this.sinks.start((listener) => this.log.onCommitted(listener));
    const damages = this.#damages ?? [];
    this.#damages = undefined;
    if (damages.length > 0) this.#news.damaged(damages);
  }

  /** Whether nobody else can give events now. */
  get isOwned(): boolean {
    return this.log.isOwned === undefined || this.log.isOwned();
  }

  /** Another has the log: ends what runs, and saves nothing. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    this.waits.waits.stop();
    await Promise.all([this.sinks.stop(0), this.#mover?.stop(), this.#housekeeping.stop()]);
    await this.log[Symbol.asyncDispose]();
  }

  /** Saves what makes the next start shorter, and closes the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#mover?.stop(), this.#housekeeping.stop()]);
    await this.#save().catch((error: unknown) => {
      // What is not saved is read from the log at the next start.
      if (!(error instanceof UnavailableError)) throw error;
    });
    await this.log[Symbol.asyncDispose]();
  }

  async #saveRegularly(): Promise<void> {
    this.#rounds += 1;
    if (this.#rounds % SAVED_EVERY === 0) await this.#save();
  }

  /** What a start would else have to find in the log. Both wait for one sync. */
  async #save(): Promise<void> {
    await Promise.all([this.counters.save(), this.acceptor.save()]);
  }
}
