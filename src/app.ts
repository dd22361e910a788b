import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ConfigError } from './config/error.ts';
import type { Settings } from './config/settings.ts';
import type { EventRules } from './core/event.ts';
import { checkMetricName, labelName } from './core/labels.ts';
import type { TimeRules } from './core/pulse.ts';
import type { Clock } from './core/millis.ts';
import { UnavailableError, shown } from './core/errors.ts';
import { compress } from './http/compress.ts';
import { Connections } from './http/connections.ts';
import type { BodyRules } from './http/eventBody.ts';
import { eventRoute } from './http/eventRoute.ts';
import type { Readiness } from './http/healthRoutes.ts';
import { HEALTH_PATHS, healthRoutes } from './http/healthRoutes.ts';
import { Ingest } from './http/ingest.ts';
import { isScraperId } from './http/identify.ts';
import { metricsRoute } from './http/metricsRoute.ts';
import { openApi } from './http/openapi.ts';
import { TrustedProxies } from './http/proxies.ts';
import { rootRoute } from './http/rootRoute.ts';
import { scrapersRoutes } from './http/scrapersRoutes.ts';
import { buildServer } from './http/server.ts';
import { webhookRoutes } from './http/webhookRoutes.ts';
import type { Log } from './log/log.ts';
import { MemoryLog } from './log/memory/memoryLog.ts';
import { SqliteLog } from './log/sqlite/sqliteLog.ts';
import type { Logger } from './observe/logger.ts';
import { newsFor } from './observe/news.ts';
import type { MetricDescription } from './observe/ownMetrics.ts';
import { OwnMetrics } from './observe/ownMetrics.ts';
import { Acceptor } from './relay/accept.ts';
import type { CounterRules } from './relay/counters.ts';
import { EventCounters, METRIC_LABEL } from './relay/counters.ts';
import { newCounts } from './relay/counts.ts';
import { Expiry } from './relay/expire.ts';
import { IdForgetter } from './relay/forget.ts';
import { Housekeeping } from './relay/housekeeping.ts';
import { WARNINGS, overview } from './relay/overview.ts';
import { Pages } from './relay/page.ts';
import type { SeriesRules } from './relay/seriesCap.ts';
import { SeriesCap } from './relay/seriesCap.ts';
import type { ShowingRules } from './relay/showing.ts';
import { Scrapers } from './relay/scrapers.ts';
import { Scrapes } from './relay/scrape.ts';
import { Sightings } from './relay/sightings.ts';
import { Tail } from './relay/tail.ts';
import { Timeline } from './relay/timeline.ts';
import { Trimmer } from './relay/trim.ts';
import { parseDataMapping } from './wire/in/dataMapping.ts';
import { welcome } from './ui/welcome.ts';
import { readWebhooks } from './wire/in/mapping/webhooks.ts';

/** How often pulses, leases, timeouts, backlogs and the log's limits are looked after, in ms. */
const HOUSEKEEPING_EVERY_MS = 1_000;
/** Housekeeping that is late by this means that the process stood still (a machine that slept), or that the clock was set, in ms. */
const STANDSTILL_MS = 30_000;
/** How often the counters are saved, in rounds of that: what was counted since is read again after a crash. */
const COUNTERS_SAVED_EVERY = 10;
/** Idle connections outlive the scraper timeout by this, in ms. */
const KEEP_ALIVE_SLACK_MS = 30_000;

export interface AppParts {
  readonly settings: Settings;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The README, which the server shows at /docs. */
  readonly guide: string;
}

/**
 * The composition root: builds everything, starts it in order, stops it in reverse. Constructing does no I/O.
 * Throws a ConfigError where settings don't fit together.
 */
export class App implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #tail: Tail;
  readonly #acceptor: Acceptor;
  readonly #scrapers: Scrapers;
  readonly #known: readonly string[];
  readonly #counters: EventCounters;
  readonly #housekeeping: Housekeeping;
  readonly #ownMetrics: OwnMetrics;
  readonly #connections: Connections;
  readonly #http: FastifyInstance;
  readonly #server: Server;
  #rounds = 0;
  #readiness: Readiness = { ready: false, why: 'the log is not open yet' };

  constructor({ settings, version, clock, logger, guide }: AppParts) {
    this.#settings = settings;
    this.#known = knownScrapers(settings);
    const counts = newCounts();
    const log = (this.#log = openLog(settings));
    const tail = (this.#tail = new Tail(settings['tail.bytesMax']));
    log.onCommitted((entries) => tail.push(entries));
    const pages = new Pages(log, tail);
    this.#acceptor = new Acceptor(
      log,
      new Timeline(timeRules(settings)),
      new SeriesCap(seriesRules(settings)),
      clock,
      counts,
    );
    const scraperLimits = { max: settings['scrapers.max'], lookbackMs: settings['scrapers.lookback'] };
    const news = newsFor(logger, clock);
    const scrapers = (this.#scrapers = new Scrapers(log, tail, clock, scraperLimits, counts, news));
    const sightings = new Sightings((id, warning) => news.warned(id, WARNINGS[warning]));
    const pageLimits = { eventsMax: settings['scrape.eventsMax'], bytesMax: settings['scrape.bytesMax'] };
    const scrapes = new Scrapes(
      scrapers,
      sightings,
      pages,
      pageLimits,
      showingRules(settings),
      clock,
      counts,
    );
    const counters = (this.#counters = new EventCounters(log, counterRules(settings)));
    const expiry = new Expiry(scrapers, scrapes, sightings, pages, expiryLimits(settings), clock, counts);
    const limits = trimLimits(settings);
    const trimmer = new Trimmer(log, scrapers, pages, limits, clock, counts, counters);
    const idLimits = { windowMs: settings['ids.window'], idsMax: settings['ids.max'] };
    const forgetter = new IdForgetter(log, idLimits, clock, counts);
    this.#housekeeping = new Housekeeping(
      [
        () => this.#acceptor.endPulses(sightings.endsShown),
        () => expiry.run(),
        () => trimmer.run(),
        () => forgetter.run(),
        () => this.#saveCounters(),
      ],
      (error) => news.postponed(error),
    );
    const ownMetrics = (this.#ownMetrics = new OwnMetrics({
      version,
      counts,
      counters,
      scrapers,
      pages,
      log,
      clock,
      limits,
    }));
    const rules = eventRules(settings, (metric) => ownMetrics.owns(metric));
    const webhooks = ruled(() => readWebhooks(settings.webhooks, rules));
    const bodies = bodyRules(settings, rules);
    const ingest = new Ingest(this.#acceptor, rules, settings['batch.eventsMax']);

    this.#connections = new Connections(scrapes, clock);
    const { app, server } = buildServer(
      serverLimits(settings),
      this.#connections,
      (route, method, status) => ownMetrics.countRequest(route, method, status),
      news,
    );
    this.#http = app;
    this.#server = server;
    app.addHook('onRequest', async (request) => {
      if (this.#readiness.ready || HEALTH_PATHS.has(request.routeOptions.url ?? '')) return;
      throw new UnavailableError('not_ready', this.#readiness.why, 1);
    });
    app.register(async (routes) => {
      await openApi(routes, version);
      rootRoute(routes, { ...welcome(version), guide });
      healthRoutes(routes, () => this.#readiness);
      await routes.register((scope) => eventRoute(scope, ingest, bodies));
      await routes.register(webhookRoutes, {
        webhooks,
        acceptor: this.#acceptor,
        rules: { rules, eventsMax: settings['batch.eventsMax'] },
        clock,
      });
      scrapersRoutes(routes, {
        list: () => overview(scrapers, sightings, pages),
        forget: (id) => expiry.forget(id),
      });
      metricsRoute(routes, {
        scrapes,
        connections: this.#connections,
        proxies: trustedProxies(settings),
        clock,
        mode: settings['scrape.timestamps'] === 'explicit' ? 'timed' : 'untimed',
        compress,
        ownMetrics: () => ownMetrics.families(),
      });
    });
  }

  /** What metrics of its own it has. */
  describeMetrics(): readonly MetricDescription[] {
    return this.#ownMetrics.describe(this.#settings['counters.labels']);
  }

  /** Resolves with why, if the server can't go on: its log can't be written any more. */
  broken(): Promise<Error> {
    return new Promise((resolve) => this.#log.onBroken(resolve));
  }

  /**
   * Listens, opens the log, and is ready. Throws the listener's own error (`EADDRINUSE`), or a LogOpenError.
   * Resolves with the port that it listens on.
   */
  async start(): Promise<{ port: number }> {
    await this.#http.ready();
    const { port } = await this.#listen();
    try {
      await this.#open();
    } catch (error) {
      this.#server.close();
      this.#server.closeAllConnections();
      throw error;
    }
    return { port };
  }

  async #open(): Promise<void> {
    await this.#log.start();
    this.#tail.start(this.#log.state().end);
    await this.#counters.start();
    await this.#acceptor.start();
    await this.#scrapers.start(this.#known);
    this.#housekeeping.start(HOUSEKEEPING_EVERY_MS);
    this.#readiness = { ready: true };
  }

  /** Stops well: answers what is running, gathers what evidence there still is, and closes the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readiness = { ready: false, why: 'the server is stopping' };
    // The port stays open until then: who asks in the meantime is told, rather than left to guess.
    await this.#connections.stop(this.#settings['server.stopTimeout']);
    this.#server.close();
    await this.#http.close();
    await this.#housekeeping.stop();
    await this.#counters.save().catch((error: unknown) => {
      // What the snapshot does not hold is counted again at the next start.
      if (!(error instanceof UnavailableError)) throw error;
    });
    await this.#log[Symbol.asyncDispose]();
  }

  async #saveCounters(): Promise<void> {
    this.#rounds += 1;
    if (this.#rounds % COUNTERS_SAVED_EVERY === 0) await this.#counters.save();
  }

  #listen(): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
    this.#server.once('error', reject);
    this.#server.listen(this.#settings['server.port'], this.#settings['server.host'], () => {
      this.#server.off('error', reject);
      resolve(this.#server.address() as AddressInfo);
    });
    return promise;
  }
}

function openLog(settings: Settings): Log {
  if (settings['store.kind'] === 'memory') return new MemoryLog();
  return new SqliteLog({ path: settings['store.path'], durability: settings['store.durability'] });
}

function eventRules(settings: Settings, reserved: (metric: string) => boolean): EventRules {
  const limits = {
    labelsMax: settings['event.labelsMax'],
    labelNameBytesMax: settings['event.labelNameMax'],
    labelValueBytesMax: settings['event.labelValueMax'],
    idBytesMax: settings['event.idMax'],
  };
  const metric = settings['event.metric'];
  const names = settings['event.names'];
  ruled(() => checkMetricName('event.metric', metric, limits, reserved, names));
  const labels = {
    drop: new Set(settings['labels.drop']),
    keep: new Set(settings['labels.keep']),
    valueBytesKept: settings['labels.valueTruncate'],
  };
  return { metric, limits, names, reserved, labels };
}

function seriesRules(settings: Settings): SeriesRules {
  return {
    perHourMax: settings['series.perHourMax'],
    overflow: settings['series.overflow'],
    metric: settings['event.metric'],
  };
}

/** What a setting is read or checked by, whose errors are those of the configuration. Throws a ConfigError. */
function ruled<T>(read: () => T, before = ''): T {
  try {
    return read();
  } catch (cause) {
    throw new ConfigError(before + (cause as Error).message, { cause });
  }
}

/** Throws a ConfigError for a mapping to a label that a CloudEvent has anyway, or that no event may have. */
function bodyRules(settings: Settings, { limits, names }: EventRules): BodyRules {
  const cloudEventData = settings['cloudevents.data'].map((text) => {
    const mapping = parseDataMapping(text);
    const name = mapping?.name ?? '';
    if (mapping === undefined || ['type', 'source', 'subject'].includes(name)) {
      throw new ConfigError(
        `cloudevents.data ${shown(text)} maps nothing to a label of its own; write label=/json/pointer, with a name other than type, source and subject`,
      );
    }
    return { ...mapping, name: ruled(() => labelName(name, limits, names), 'cloudevents.data: ') };
  });
  return {
    pairsMax: limits.labelsMax * 2 + 4,
    stream: { lineBytesMax: settings['event.bodyMax'], bytesMax: settings['batch.bytesMax'] },
    cloudEventData,
  };
}

/** Throws a ConfigError for a known scraper that could never come. */
function knownScrapers(settings: Settings): readonly string[] {
  const known = settings['scrapers.known'];
  const max = settings['scrapers.max'];
  if (known.length > max) {
    throw new ConfigError(
      `scrapers.known names ${known.length} scrapers, and scrapers.max allows ${max}; raise it, or name fewer`,
    );
  }
  const wrong = known.find((id) => !isScraperId(id));
  if (wrong !== undefined) {
    throw new ConfigError(
      `scrapers.known ${shown(wrong)} is not a scraper id; use 1 to 128 printable characters`,
    );
  }
  return known;
}

function trustedProxies(settings: Settings): TrustedProxies {
  return ruled(() => new TrustedProxies(settings['server.trustedProxies']), 'server.trustedProxies: ');
}

function serverLimits(settings: Settings) {
  return {
    bodyBytesMax: settings['event.bodyMax'],
    urlBytesMax: settings['event.urlMax'],
    connectionsMax: settings['server.connectionsMax'],
    keepAliveMs: Math.max(settings['scrapers.timeout'], settings['scrape.lease']) + KEEP_ALIVE_SLACK_MS,
  };
}

function timeRules(settings: Settings): TimeRules {
  return {
    pulseWidthMs: settings['pulse.width'],
    ageMaxMs: settings['event.ageMax'],
    aheadMaxMs: settings['event.aheadMax'],
  };
}

function showingRules(settings: Settings): ShowingRules {
  return { collapse: settings['scrape.collapse'], ageMaxMs: settings['event.ageMax'] };
}

/** Throws a ConfigError for a label that the counters have anyway. */
function counterRules(settings: Settings): CounterRules {
  const labels = settings['counters.labels'];
  if (labels.includes(METRIC_LABEL)) {
    throw new ConfigError(
      `counters.labels names ${METRIC_LABEL}, which every counter has for its events' metric; leave it out`,
    );
  }
  return { labels, seriesMax: settings['counters.seriesMax'] };
}

function expiryLimits(settings: Settings) {
  return {
    leaseMs: settings['scrape.lease'],
    timeoutMs: settings['scrapers.timeout'],
    namedTimeoutMs: settings['scrapers.namedTimeout'],
    standstillMs: STANDSTILL_MS,
  };
}

function trimLimits(settings: Settings) {
  return {
    entriesMax: settings['store.entriesMax'],
    bytesMax: settings['store.bytesMax'],
    backlogMax: settings['scrapers.backlogMax'],
    retentionMinMs: settings['retention.min'],
  };
}
