import type { Server } from 'node:http';
import type { Access } from './access/access.ts';
import { copyOf } from './app/copy.ts';
import type { Naming } from './app/naming.ts';
import type { Machine } from './app/memory.ts';
import { memoryOf } from './app/memory.ts';
import { namingOf } from './app/naming.ts';
import { bodyRules, eventRules } from './app/eventRules.ts';
import { openInbox } from './app/openLog.ts';
import { machineNames } from './app/machineNames.ts';
import {
  browserRules,
  knownScrapers,
  placeLimits,
  serverLimits,
  trimLimits,
  trustedProxies,
} from './app/rules.ts';
import { SharedDoor } from './app/sharedDoor.ts';
import { Sweeps } from './app/sweeps.ts';
import { Term } from './app/term.ts';
import { Terms } from './app/terms.ts';
import { webhooksOf } from './app/webhooks.ts';
import type { Settings } from './config/settings.ts';
import type { Clock, Monotonic } from './core/millis.ts';
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
import { Router } from './http/router.ts';
import type { RequestObserver } from './http/server.ts';
import { HEADER_BYTES_MAX, buildServer } from './http/server.ts';
import type { Logger } from './observe/logger.ts';
import { newsFor } from './observe/news.ts';
import type { MetricDescription } from './render/families.ts';
import { OwnMetrics } from './observe/ownMetrics.ts';
import { newCounts } from './counting/counts.ts';
import { welcome } from './ui/welcome.ts';

/** Requests that only look at events, and wait for their turns. */
const LOOKS_WAITING_MAX = 64;
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

/** What a term answers. */
interface Routes {
  readonly endpoints: readonly Endpoint[];
  readonly router: Router;
  readonly metrics: MetricsHandlers;
}

/**
 * The composition root: builds everything, starts it in order, stops it in reverse. Constructing does no I/O.
 * Throws a ConfigError where settings don't fit together.
 */
export class App implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #terms: Terms;
  readonly #shared: SharedDoor | undefined;
  readonly #ownMetrics: OwnMetrics;
  readonly #connections: Connections;
  readonly #places: Places;
  readonly #fewDescriptors: (limit: number, connections: number) => void;
  readonly #heads: Heads;
  #sweeps: Sweeps | undefined;
  readonly #naming: Naming;
  readonly #access: Access;
  readonly #hosts: AllowedHosts;
  readonly #routesOf: (term: Term) => Routes;
  #routes: Routes;
  readonly #server: Server;
  #readiness: Readiness = { ready: false, why: 'the log is not open yet' };

  constructor({ settings, version, clock, machine, elapsed, logger, linesLost, access, guide }: AppParts) {
    this.#settings = settings;
    this.#access = access;
    const counts = newCounts();
    const memory = memoryOf(settings, machine);
    const news = newsFor(logger, elapsed);
    const known = knownScrapers(settings);
    const terms = (this.#terms = new Terms({
      make: () =>
        new Term({
          settings,
          version,
          known,
          memory,
          clock,
          elapsed,
          counts,
          news,
          ownMetrics: () => this.#ownMetrics.groups(),
        }),
      news,
      changed: () => this.#follow(),
      lapsed: () => this.#connections.cutSending(),
    }));
    const leads = () => terms.leads;
    this.#naming = namingOf(settings, elapsed, (error) => news.podsUnknown(error));
    const closings = new Closings(news.closed);
    this.#fewDescriptors = (limit, most) => news.fewDescriptors(limit, most);
    const ownMetrics = (this.#ownMetrics = new OwnMetrics({
      version,
      counts,
      counters: { all: () => terms.current.counters.all() },
      scrapers: { all: () => terms.current.scrapers.all() },
      logEnd: () => terms.current.pages.end,
      logState: () => terms.current.log.state(),
      leads: settings['store.kind'] === 'postgres' ? leads : undefined,
      clock,
      elapsed,
      limits: trimLimits(settings, memory),
      memory: () => terms.current.memory,
      linesLost,
      connections: { open: () => this.#places.open, max: () => this.#places.max, closed: closings.counts },
      sinks: () => terms.current.sinks.states(),
    }));
    const rules = eventRules(settings, (metric) => ownMetrics.owns(metric));
    const bodies = bodyRules(settings, rules);
    const webhooks = webhooksOf(settings, rules);
    const loop = new LoopTurns();
    const inbox = openInbox(settings);
    this.#shared = inbox && new SharedDoor(terms, inbox, settings, clock, counts);
    // A log of its own has one term only.
    const acceptor = this.#shared ?? terms.current.acceptor;
    const ingest = new Ingest(acceptor, rules, settings['batch.eventsMax'], memory.bodies, loop);

    const proxies = trustedProxies(settings);
    this.#connections = new Connections(terms.current.scrapes, elapsed, proxies, closings, memory.bodies);
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
    const { hosts, foreignPages } = browserRules(settings);
    this.#hosts = hosts;
    const writeLimits = new WriteLimits(settings, elapsed);
    const admission = new Admission({ access, writeLimits, hosts, foreignPages, proxies, elapsed });
    const readiness = () => this.#readiness;
    this.#routesOf = (term) => {
      const metrics = metricsHandlers({
        ...looking,
        scrapes: term.scrapes,
        leads,
        withheld: () => {
          if (terms.isLapsed) counts.withheld += 1;
        },
        connections: this.#connections,
        foreignPages,
        proxies,
        clock,
        elapsed,
        timestamps: settings['scrape.timestamps'],
        byUser: settings['scrapers.byUser'],
        nameOf: this.#naming.nameOf,
        rendered: term.memory.rendered,
        ownMetrics: () => ownMetrics.groups(),
      });
      const endpoints = endpointTable({
        version,
        readiness,
        leading: () => terms.leading,
        pages: { ...welcome(version), guide },
        events: { ingest, rules: bodies, bodyBytesMax: settings['event.bodyMax'] },
        waits: term.waits,
        webhooks: {
          webhooks,
          refresher: this.#shared ?? term.refresher,
          rules: { rules, eventsMax: settings['batch.eventsMax'] },
          bodyBytesMax: settings['webhook.bodyMax'],
          counts,
          news,
          clock,
        },
        metrics,
        ...term.views,
        looking,
        resetCounters: () => term.counters.reset(),
        copyLog: () => copyOf(term.log, settings['store.path']),
      });
      return { metrics, endpoints, router: new Router(endpoints) };
    };
    this.#routes = this.#routesOf(terms.current);
    const server = (this.#server = buildServer({
      limits: serverLimits(settings),
      placeOf: (url) => this.#routes.router.at(url),
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
        endpoint: this.endpoints.find(({ method, path }) => method === 'POST' && path === '/event'),
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
    return this.#routes.endpoints;
  }

  /** Resolves with why, if the server can't go on: its log can't be written any more. */
  broken(): Promise<Error> {
    return this.#terms.broken;
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

  /** Another term follows: what the one before was asked for is not its own. */
  #follow(): void {
    const { current } = this.#terms;
    this.#routes.metrics.stop();
    this.#connections.follow(current.scrapes);
    this.#routes = this.#routesOf(current);
  }

  async #open(port: number): Promise<void> {
    await this.#terms.start(port);
    this.#access.start();
    this.#naming.start();
    this.#readiness = { ready: true };
  }

  /** Stops well: answers what is running, gathers what evidence there still is, and closes the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readiness = { ready: false, why: 'the server is stopping' };
    // The port stays open until then: who asks in the meantime is told, rather than left to guess.
    this.#access[Symbol.dispose]();
    this.#terms.current.waits.waits.stop();
    const stopMs = this.#settings['server.stopTimeout'];
    await Promise.all([this.#connections.stop(stopMs), this.#terms.current.sinks.stop(stopMs)]);
    this.#sweeps?.[Symbol.dispose]();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#routes.metrics.stop();
    await this.#naming[Symbol.asyncDispose]();
    await this.#terms[Symbol.asyncDispose]();
    await this.#shared?.[Symbol.asyncDispose]();
  }
}
