import type { Expiry } from '../delivery/expire.ts';
import { Feed } from '../delivery/feed.ts';
import { overview } from '../delivery/overview.ts';
import type { Pages } from '../delivery/page.ts';
import type { Scrapers } from '../delivery/scrapers.ts';
import type { Sightings } from '../delivery/sightings.ts';
import type { EndpointParts } from '../http/endpoints.ts';
import type { EntryLog } from '../log/entryLog.ts';

/** What those see who look: the events, and who scrapes. */
export function viewsOf(
  log: Pick<EntryLog, 'state'>,
  pages: Pages,
  scrapers: Scrapers,
  sightings: Sightings,
  expiry: Expiry,
): Pick<EndpointParts, 'feed' | 'scrapers'> {
  return {
    feed: new Feed(log, pages),
    scrapers: {
      list: () => overview(scrapers, sightings, pages),
      forget: (id) => expiry.forget(id),
    },
  };
}
