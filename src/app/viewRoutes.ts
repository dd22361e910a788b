import type { FastifyInstance } from 'fastify';
import type { Expiry } from '../delivery/expire.ts';
import { Feed } from '../delivery/feed.ts';
import { overview } from '../delivery/overview.ts';
import type { Pages } from '../delivery/page.ts';
import type { Receipts } from '../delivery/receipts.ts';
import type { Scrapers } from '../delivery/scrapers.ts';
import type { Sightings } from '../delivery/sightings.ts';
import type { FeedRouteParts } from '../http/feedRoute.ts';
import { feedRoute } from '../http/feedRoute.ts';
import { receiptRoute } from '../http/receiptRoute.ts';
import { scrapersRoutes } from '../http/scrapersRoutes.ts';
import type { EntryLog } from '../log/entryLog.ts';

export interface ViewParts extends FeedRouteParts {
  readonly log: Pick<EntryLog, 'state'>;
  readonly pages: Pages;
  readonly receipts: Receipts;
  readonly scrapers: Scrapers;
  readonly sightings: Sightings;
  readonly expiry: Expiry;
}

/** The routes for those who look at what there is: events, where they are, and who scrapes. */
export function viewRoutes(routes: FastifyInstance, parts: ViewParts): void {
  const { log, pages, receipts, scrapers, sightings, expiry } = parts;
  feedRoute(routes, new Feed(log, pages), parts);
  receiptRoute(routes, { receipts, looks: parts.looks });
  scrapersRoutes(routes, {
    list: () => overview(scrapers, sightings, pages),
    forget: (id) => expiry.forget(id),
  });
}
