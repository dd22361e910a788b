import type { BodyRules } from './eventBody.ts';
import type { Feed } from '../delivery/feed.ts';
import type { ScraperOverview } from '../delivery/overview.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { Copy } from './backupRoute.ts';
import { BACK_UP, backUp } from './backupRoute.ts';
import { RESET_COUNTERS, resetCounters } from './countersRoute.ts';
import type { Endpoint } from './endpoint.ts';
import { POST_EVENTS } from './eventOperation.ts';
import { postEvents } from './eventRoute.ts';
import type { FeedRouteParts } from './feedRoute.ts';
import { LIST_EVENTS, listEvents } from './feedRoute.ts';
import type { Leading, Readiness } from './healthRoutes.ts';
import { IS_LEADER, IS_READY, alive, isAlive, leader, leadersOnly, ready } from './healthRoutes.ts';
import { SCRAPE, SCRAPE_HEAD } from './metricsOperations.ts';
import type { MetricsHandlers } from './metricsRoute.ts';
import { DESCRIBE_API, describeApi } from './openapi.ts';
import type { Welcome } from './rootRoute.ts';
import { READ_GUIDE, WELCOME, readGuide, welcome } from './rootRoute.ts';
import { FORGET_SCRAPER, LIST_SCRAPERS, forgetScraper, listScrapers } from './scrapersRoutes.ts';
import { GET_RECEIPT, getReceipt } from './receiptRoute.ts';
import type { WaitParts } from './waitingPosts.ts';
import type { WebhookParts } from './webhookRoutes.ts';
import { webhookEndpoints } from './webhookRoutes.ts';

/** What the endpoints need. */
export interface EndpointParts {
  readonly version: string;
  readonly readiness: () => Readiness;
  readonly leading: () => Leading;
  readonly pages: Welcome;
  readonly events: { readonly ingest: Ingest; readonly rules: BodyRules; readonly bodyBytesMax: number };
  readonly waits: WaitParts;
  readonly webhooks: Omit<WebhookParts, 'ingest' | 'loop'>;
  readonly metrics: MetricsHandlers;
  readonly feed: Feed;
  readonly looking: FeedRouteParts;
  readonly scrapers: {
    readonly list: () => readonly ScraperOverview[];
    readonly forget: (id: string) => Promise<boolean>;
  };
  readonly resetCounters: () => Promise<void>;
  readonly copyLog: () => Promise<Copy | undefined>;
}

/** Rows that only look, and take no body. */
const LOOK = { limits: 'none', body: 'none' } as const;
/** A health check: open to all, at all times. */
const HEALTH = { method: 'GET', access: 'open', ...LOOK, isHealthCheck: true } as const;

/**
 * The table of endpoints. Routing, 405 and `Allow`, access, limits, bodies, the API's description and the README's table follow from it.
 * HEAD works wherever GET does, by `withHeads`; where it does something else, it has a row of its own.
 */
export function endpointTable(parts: EndpointParts): readonly Endpoint[] {
  const { events, waits, webhooks, metrics, looking, scrapers, pages, readiness, leading } = parts;
  const { loop } = looking;
  const table: readonly Endpoint[] = [
    {
      method: 'POST',
      path: '/event',
      access: 'write',
      limits: 'posts',
      body: { bytesMax: events.bodyBytesMax },
      operation: POST_EVENTS,
      handler: postEvents(events.ingest, events.rules, loop, waits),
    },
    ...webhookEndpoints({ ...webhooks, ingest: events.ingest, loop }),
    {
      method: 'GET',
      path: '/metrics',
      access: 'scrape',
      ...LOOK,
      operation: SCRAPE,
      handler: metrics.get,
    },
    {
      method: 'HEAD',
      path: '/metrics',
      access: 'scrape',
      ...LOOK,
      operation: SCRAPE_HEAD,
      handler: metrics.head,
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      access: 'scrape',
      ...LOOK,
      operation: LIST_EVENTS,
      isLeaders: true,
      handler: listEvents(parts.feed, looking),
    },
    {
      method: 'GET',
      path: '/api/v1/events/{id}',
      access: 'scrape',
      ...LOOK,
      operation: GET_RECEIPT,
      isLeaders: true,
      handler: getReceipt({ receipts: waits.receipts, looks: looking.looks }),
    },
    {
      method: 'GET',
      path: '/api/v1/scrapers',
      access: 'scrape',
      ...LOOK,
      operation: LIST_SCRAPERS,
      isLeaders: true,
      handler: listScrapers(scrapers.list),
    },
    {
      method: 'DELETE',
      path: '/api/v1/scrapers/{id}',
      access: 'admin',
      limits: 'none',
      body: 'none',
      operation: FORGET_SCRAPER,
      isLeaders: true,
      handler: forgetScraper(scrapers.forget),
    },
    {
      method: 'DELETE',
      path: '/api/v1/counters',
      access: 'admin',
      limits: 'none',
      body: 'none',
      operation: RESET_COUNTERS,
      isLeaders: true,
      handler: resetCounters(parts.resetCounters),
    },
    {
      method: 'POST',
      path: '/api/v1/backup',
      access: 'admin',
      limits: 'posts',
      body: 'none',
      operation: BACK_UP,
      handler: backUp(parts.copyLog),
    },
    {
      method: 'GET',
      path: '/',
      access: 'any',
      ...LOOK,
      operation: WELCOME,
      handler: welcome(pages),
    },
    {
      method: 'GET',
      path: '/docs',
      access: 'any',
      ...LOOK,
      operation: READ_GUIDE,
      handler: readGuide(pages),
    },
    {
      method: 'GET',
      path: '/openapi.json',
      access: 'any',
      ...LOOK,
      operation: DESCRIBE_API,
      handler: describeApi(() => table, parts.version),
    },
    {
      ...HEALTH,
      path: '/healthz',
      operation: isAlive('checkHealth'),
      handler: alive('OK\n'),
    },
    {
      ...HEALTH,
      path: '/-/healthy',
      operation: isAlive('checkHealthy'),
      handler: alive('oneShotMetricsServer is healthy.\n'),
    },
    {
      ...HEALTH,
      path: '/-/ready',
      operation: IS_READY,
      handler: ready(readiness),
    },
    {
      ...HEALTH,
      path: '/-/leader',
      operation: IS_LEADER,
      handler: leader(leading),
    },
  ];
  const answering = table.map((endpoint) => leadersOnly(endpoint, leading));
  return answering;
}
