import type { Server } from 'node:http';
import type { Access } from './access/access.ts';
import { copyOf } from './app/copy.ts';
import type { Naming } from './app/naming.ts';
import type { Machine } from './app/memory.ts';
import { memoryOf } from './app/memory.ts';
import { namingOf } from './app/naming.ts';
import { bodyRules, eventRules, seriesRules } from './app/eventRules.ts';
import { machineNames } from './app/machineNames.ts';
import { openLog } from './app/openLog.ts';
import {
  browserRules,
  counterRules,
  expiryLimits,
  idsMaxOf,
  knownScrapers,
  placeLimits,
  serverLimits,
  showingRules,
  timeRules,
  trimLimits,
  trustedProxies,
} from './app/rules.ts';
import { Sinks } from './app/sinks.ts';
import { Sweeps } from './app/sweeps.ts';
import { viewsOf } from './app/views.ts';
import { waitsOf } from './app/waits.ts';
import { webhooksOf } from './app/webhooks.ts';
import type { Settings } from './config/settings.ts';
import type { Clock, Monotonic } from './core/millis.ts';
import { UnavailableError } from './core/errors.ts';
import { Admission } from './http/auth/admission.ts';
import { guard } from './http/auth/guard.ts';
import { WriteLimits } from './http/auth/writeLimits.ts';
import { AnswerMemory } from './http/answerMemory.ts';
import { BodyMemory } from './http/bodyMemory.ts';
import type { AllowedHosts } from './http/browsers/hosts.ts';
import { Connections, cut } from './http/connections.ts';
import { Closings } from './http/closings.ts';
import { ClientTurns } from './http/clientTurns.ts';
import type { Endpoint } from './http/endpoint.ts';
import { endpointTable } from './http/endpoints.ts';
import type { Readiness } from './http/healthRoutes.ts';
import { descriptorLimit } from './http/descriptors.ts';
import { Places } from './http/places.ts';
import { Ingest } from './intake/ingest.ts';
import { listenOn } from './http/listen.ts';
import { LoopTurns } from './http/loopTurns.ts';
import type { MetricsHandlers } from './http/metricsRoute.ts';
import { metricsHandlers } from './http/metricsRoute.ts';
import { openPostLane } from './http/lane/postLane.ts';
import { Heads } from './http/heads.ts';
import type { RequestObserver } from './http/server.ts';
import { HEADER_BYTES_MAX, buildServer } from './http/server.ts';
import type { WaitParts } from './http/waitingPosts.ts';
import type { Damage, Log, RepairListener } from './log/log.ts';
import type { Logger } from './observe/logger.ts';
import { newsFor } from './observe/news.ts';
import type { MetricDescription } from './render/families.ts';
import { OwnMetrics } from './observe/ownMetrics.ts';
import { Acceptor } from './intake/accept.ts';
import { EventCounters } from './counting/counters.ts';
import { countRepair, newCounts } from './counting/counts.ts';
import { Expiry } from './delivery/expire.ts';
import { IdForgetter } from './intake/forgetIds.ts';
import { IdRefresher } from './intake/refreshIds.ts';
import { Housekeeping } from './app/housekeeping.ts';
import { WARNINGS } from './delivery/overview.ts';
import { Pages } from './delivery/page.ts';
import { SeriesCap } from './intake/seriesCap.ts';
import { Scrapers } from './delivery/scrapers.ts';
import { Scrapes } from './delivery/scrape.ts';
import { Sightings } from './delivery/sightings.ts';
import { Tail } from './delivery/tail.ts';
import { Timeline } from './intake/timeline.ts';
import { Trimmer } from './delivery/trim.ts';
import { welcome } from './ui/welcome.ts';

/** Requests that only look at events, and wait for their turns. */
const LOOKS_WAITING_MAX = 64;
/** How often pulses, leases, timeouts, backlogs and the log's limits are looked after, in ms. */
const HOUSEKEEPING_EVERY_MS = 1_000;
/** How often what a start needs is saved, in rounds of that: what came in since is read again after a crash. */
const SAVED_EVERY = 10;

export interface AppParts {
  readonly settings: Settings;
  readonly version: string;
  readonly clock: Clock;
  readonly machine: Machine;
  readonly elapsed: Monotonic;
  readonly logger: Logger;
  /** How many lines of the logger could not be written. */
  readonly linesLost: () => number;
  /** Who may do what; open already. */
  readonly access: Access;
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
  readonly #waits: WaitParts;
  readonly #sinks: Sinks;
  readonly #counters: EventCounters;
  readonly #housekeeping: Housekeeping;
  readonly #ownMetrics: OwnMetrics;
  readonly #connections: Connections;
  readonly #places: Places;
  readonly #fewDescriptors: (limit: number, connections: number) => void;
  readonly #heads: Heads;
  #sweeps: Sweeps | undefined;
  readonly #naming: Naming;
  readonly #access: Access;
  readonly #hosts: AllowedHosts;
  readonly #endpoints: readonly Endpoint[];
  readonly #metrics: MetricsHandlers;
  readonly #server: Server;
  readonly #repaired: RepairListener;
  readonly #tellDamage: (damages: readonly Damage[]) => void;
  /** What was come upon before the server was ready: one line tells it all. */
  #damages: Damage[] = [];
  #rounds = 0;
  #readiness: Readiness = { ready: false, why: 'the log is not open yet' };

  constructor({ settings, version, clock, machine, elapsed, logger, linesLost, access, guide }: AppParts) {
    this.#settings = settings;
    this.#access = access;
    this.#known = knownScrapers(settings);
    const counts = newCounts();
    const memory = memoryOf(settings, machine);
    const log = (this.#log = openLog(settings, memory));
    const tail = (this.#tail = new Tail(memory.tail, settings['tail.bytesMax']));
    log.onCommitted((entries) => tail.push(entries));
    const pages = new Pages(log, tail);
    this.#acceptor = new Acceptor(
      log,
      new Timeline(timeRules(settings), memory.series),
      new SeriesCap(seriesRules(settings)),
      clock,
      counts,
    );
    const scraperLimits = { max: settings['scrapers.max'], lookbackMs: settings['scrapers.lookback'] };
    const news = newsFor(logger, elapsed);
    this.#tellDamage = (damages) => news.damaged(damages);
    log.onDamage((damage) => {
      if (this.#readiness.ready) news.damaged([damage]);
      else this.#damages.push(damage);
    });
    this.#repaired = (repair) => {
      countRepair(counts, repair);
      news.repaired(repair);
    };
    log.onRepair(this.#repaired);
    const scrapers = (this.#scrapers = new Scrapers(log, tail, clock, scraperLimits, counts, news));
    this.#naming = namingOf(settings, elapsed, (error) => news.podsUnknown(error));
    const sightings = new Sightings((id, warning) => news.warned(id, WARNINGS[warning]));
    const pageLimits = { eventsMax: settings['scrape.eventsMax'], bytesMax: settings['scrape.bytesMax'] };
    const loop = new LoopTurns();
    const scrapes = new Scrapes({
      scrapers,
      sightings,
      pages,
      limits: pageLimits,
      showing: showingRules(settings),
      clock,
      loop,
      counts,
    });
    const sinkParts = { scrapes, counts, memory: memory.answers, clock, elapsed, news, version };
    const sinks = (this.#sinks = new Sinks(settings, sinkParts, () => this.#ownMetrics.groups()));
    const counters = (this.#counters = new EventCounters(log, counterRules(settings)));
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
    this.#housekeeping = new Housekeeping(
      [
        () => this.#acceptor.endPulses(sightings.endsShown),
        () => expiry.run(),
        () => trimmer.run(),
        () => forgetter.run(),
        () => this.#saveRegularly(),
      ],
      (error) => news.postponed(error),
    );
    const closings = new Closings(news.closed);
    this.#fewDescriptors = (limit, most) => news.fewDescriptors(limit, most);
    const ownMetrics = (this.#ownMetrics = new OwnMetrics({
      version,
      counts,
      counters,
      scrapers,
      pages,
      log,
      clock,
      elapsed,
      limits,
      memory,
      linesLost,
      connections: { open: () => this.#places.open, max: () => this.#places.max, closed: closings.counts },
      sinks: () => sinks.states(),
    }));
    const rules = eventRules(settings, (metric) => ownMetrics.owns(metric));
    const bodies = bodyRules(settings, rules);
    const webhooks = webhooksOf(settings, rules);
    const ingest = new Ingest(this.#acceptor, rules, settings['batch.eventsMax'], memory.bodies, loop);

    const proxies = trustedProxies(settings);
    this.#connections = new Connections(scrapes, elapsed, proxies, closings, memory.bodies);
    this.#heads = new Heads(memory.bodies, settings['event.urlMax'] + HEADER_BYTES_MAX, closings);
    this.#places = new Places(placeLimits(settings), proxies, this.#connections, closings, elapsed);
    const observeRequest: RequestObserver = (route, method, status) =>
      ownMetrics.countRequest(route, method, status);
    const answers = new AnswerMemory(memory.answers, cut);
    const looking = {
      answers,
      looks: new ClientTurns(LOOKS_WAITING_MAX),
      loop,
      bytesMax: settings['scrape.bytesMax'],
    };
    const waits = (this.#waits = waitsOf(settings, memory, log, pages, scrapers, loop, sinks));
    const { hosts, foreignPages } = browserRules(settings);
    this.#hosts = hosts;
    const writeLimits = new WriteLimits(settings, elapsed);
    this.#metrics = metricsHandlers({
      ...looking,
      scrapes,
      connections: this.#connections,
      foreignPages,
      proxies,
      clock,
      elapsed,
      timestamps: settings['scrape.timestamps'],
      byUser: settings['scrapers.byUser'],
      nameOf: this.#naming.nameOf,
      rendered: memory.rendered,
      ownMetrics: () => ownMetrics.groups(),
    });
    const admission = new Admission({ access, writeLimits, hosts, foreignPages, proxies, elapsed });
    const readiness = () => this.#readiness;
    this.#endpoints = endpointTable({
      version,
      readiness,
      pages: { ...welcome(version), guide },
      events: { ingest, rules: bodies, bodyBytesMax: settings['event.bodyMax'] },
      waits,
      webhooks: {
        webhooks,
        refresher: new IdRefresher(log, idLimits.windowMs, clock),
        rules: { rules, eventsMax: settings['batch.eventsMax'] },
        bodyBytesMax: settings['webhook.bodyMax'],
        counts,
        news,
        clock,
      },
      metrics: this.#metrics,
      ...viewsOf({ log, pages, scrapers, sightings, expiry, sinks }),
      looking,
      resetCounters: () => counters.reset(),
      copyLog: () => copyOf(log, settings['store.path']),
    });
    const server = (this.#server = buildServer({
      limits: serverLimits(settings),
      endpoints: this.#endpoints,
      guard: guard(admission),
      readiness,
      connections: this.#connections,
      memory: new BodyMemory(memory.bodies, elapsed),
      answers,
      tls: access,
      observeRequest,
      news,
    }));
    if (access.tls === undefined)
      openPostLane(server, {
        isOpen: () => this.#readiness.ready,
        admission,
        endpoint: this.#endpoints.find(({ method, path }) => method === 'POST' && path === '/event'),
        ingest,
        rules: bodies,
        urlBytesMax: settings['event.urlMax'],
        connections: this.#connections,
        observeRequest,
        news,
        clock,
      });
    this.#places.watch(server);
    server.on('connection', () => loop.accepted());
  }

  /** What metrics of its own it has. */
  describeMetrics(): readonly MetricDescription[] {
    return this.#ownMetrics.describe(this.#settings['counters.labels']);
  }

  /** Its endpoints, as the documentation has them. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Resolves with why, if the server can't go on: its log can't be written any more. */
  broken(): Promise<Error> {
    return new Promise((resolve) => this.#log.onBroken(resolve));
  }

  /**
   * Listens, opens the log, and is ready. Throws the listener's own error (`EADDRINUSE`), or a LogOpenError.
   * Resolves with the port and the address that it listens on.
   */
  async start(): Promise<{ port: number; address: string }> {
    this.#hosts.allow(await machineNames());
    const descriptors = await descriptorLimit();
    if (descriptors !== undefined && this.#places.limitTo(descriptors))
      this.#fewDescriptors(descriptors, this.#places.max);
    const { port, address } = await listenOn(
      this.#server,
      this.#settings['server.port'],
      this.#settings['server.host'],
    );
    this.#sweeps = new Sweeps(this.#connections, this.#heads, this.#server);
    try {
      await this.#open(port);
    } catch (error) {
      this.#sweeps[Symbol.dispose]();
      this.#server.close();
      this.#server.closeAllConnections();
      throw error;
    }
    return { port, address };
  }

  async #open(port: number): Promise<void> {
    await this.#log.start();
    this.#tail.start(this.#log.state().end);
    if (await this.#counters.start()) this.#repaired({ part: 'counters', lost: 1 });
    await this.#acceptor.start();
    await this.#scrapers.start(this.#known, await this.#sinks.load(port));
    this.#housekeeping.start(HOUSEKEEPING_EVERY_MS);
    this.#access.start();
    this.#naming.start();
    this.#sinks.start((listener) => this.#log.onCommitted(listener));
    this.#readiness = { ready: true };
    if (this.#damages.length > 0) this.#tellDamage(this.#damages);
    this.#damages = [];
  }

  /** Stops well: answers what is running, gathers what evidence there still is, and closes the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readiness = { ready: false, why: 'the server is stopping' };
    // The port stays open until then: who asks in the meantime is told, rather than left to guess.
    this.#access[Symbol.dispose]();
    this.#waits.waits.stop();
    const stopMs = this.#settings['server.stopTimeout'];
    await Promise.all([this.#connections.stop(stopMs), this.#sinks.stop(stopMs)]);
    this.#sweeps?.[Symbol.dispose]();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#metrics.stop();
    await this.#naming[Symbol.asyncDispose]();
    await this.#housekeeping.stop();
    await this.#save().catch((error: unknown) => {
      // What is not saved is read from the log at the next start.
      if (!(error instanceof UnavailableError)) throw error;
    });
    await this.#log[Symbol.asyncDispose]();
  }

  async #saveRegularly(): Promise<void> {
    this.#rounds += 1;
    if (this.#rounds % SAVED_EVERY === 0) await this.#save();
  }

  /** What a start would else have to find in the log. Both wait for one sync. */
  async #save(): Promise<void> {
    await Promise.all([this.#counters.save(), this.#acceptor.save()]);
  }
}
