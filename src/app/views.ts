import type { Expiry } from '../delivery/expire.ts';
import { Feed } from '../delivery/feed.ts';
import { overview } from '../delivery/overview.ts';
import type { Pages } from '../delivery/page.ts';
import type { Scrapers } from '../delivery/scrapers.ts';
import type { Sightings } from '../delivery/sightings.ts';
import type { EndpointParts } from '../http/endpoints.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { Sinks } from './sinks.ts';

interface ViewParts {
  readonly log: Pick<EntryLog, 'state'>;
  readonly pages: Pages;
  readonly scrapers: Scrapers;
  readonly sightings: Sightings;
  readonly expiry: Expiry;
  readonly sinks: Sinks;
}

/** What those see who look: the events, and who gets them. */
export function viewsOf(parts: ViewParts): Pick<EndpointParts, 'feed' | 'scrapers'> {
  const { log, pages, scrapers, sightings, expiry, sinks } = parts;
  return {
    feed: new Feed(log, pages),
    scrapers: {
      list: () => overview(scrapers, sightings, pages, (id) => sinks.statusOf(id)),
      forget: (id) => expiry.forget(id),
    },
  };
}
