import type { Settings } from '../config/settings.ts';
import type { Loop } from '../core/loop.ts';
import type { Memory } from '../core/memory.ts';
import { DeliveryWaits } from '../delivery/deliveryWaits.ts';
import type { Pages } from '../delivery/page.ts';
import { Receipts } from '../delivery/receipts.ts';
import type { Scrapers } from '../delivery/scrapers.ts';
import type { WaitParts } from '../http/waitingPosts.ts';
import type { Log } from '../log/log.ts';
import type { Sinks } from './sinks.ts';

/** The share of all connections that may wait. */
const CONNECTIONS_SHARE = 4;
/** The share of these that one client may have. */
const CLIENT_SHARE = 2;

/** What tells where events are, and who waits until they are delivered. */
export function waitsOf(
  settings: Settings,
  { bodies }: Memory,
  log: Log,
  pages: Pages,
  scrapers: Scrapers,
  loop: Loop,
  sinks: Sinks,
): WaitParts {
  // They never give way to others: what scrapes and posts must find a place.
  const places = Math.ceil(settings['server.connectionsMax'] / CONNECTIONS_SHARE);
  const max = Math.min(settings['wait.postsMax'], places);
  return {
    waits: new DeliveryWaits(scrapers, max),
    clientMax: Math.ceil(max / CLIENT_SHARE),
    receipts: new Receipts(log, pages, scrapers, loop, (id) => sinks.statusOf(id)?.failing?.why),
    bodies,
    timeoutMaxMs: settings['wait.timeoutMax'],
  };
}
