import type { Offset } from '../core/offset.ts';
import { cursorOf, inFlightCount, pendingCount } from '../core/position.ts';
import { size } from '../core/range.ts';
import type { IdentifiedBy } from '../log/scraperRecords.ts';
import type { Pages } from './page.ts';
import type { Scrapers } from './scrapers.ts';
import type { Sightings, Warning } from './sightings.ts';

/** One scraper as an operator wants to see it. Times are in ms since the Unix epoch. */
export interface ScraperOverview {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
  readonly address: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly intervalMs: number | undefined;
  readonly mode: 'timed' | 'untimed' | undefined;
  readonly format: string | undefined;
  /** Everything up to here is confirmed or dropped. */
  readonly confirmed: Offset;
  /** Entries that are not confirmed, those below among them. */
  readonly pending: number;
  /** Entries out in responses that are not settled. */
  readonly inFlight: number;
  /** Entries that came back, and are first in the next scrape. */
  readonly returned: number;
  readonly warnings: readonly { readonly code: Warning; readonly message: string }[];
}

export const WARNINGS: Record<Warning, string> = {
  shared_id:
    'requests alternate between open connections: two jobs or servers seem to share this id; give each its own with params: {scraper: [...]}',
  http_proxy:
    'there is an HTTP proxy in between, and whatever it reads counts as read by the scraper; connect the scraper directly',
  unexpanded_id:
    'the id it sends contains an unexpanded variable, such as $(POD_NAME), and is ignored, because replicas would share it; set the real id with params: {scraper: [...]}',
};

/** What is known of each scraper now. */
export function overview(scrapers: Scrapers, sightings: Sightings, pages: Pages): ScraperOverview[] {
  return [...scrapers.all()].map((record) => {
    const { id, identifiedBy, address, firstSeen, lastSeen, position } = record;
    const seen = sightings.of(id);
    return {
      id,
      identifiedBy,
      address,
      firstSeen,
      lastSeen,
      intervalMs: seen?.intervalMs,
      mode: seen?.latest.mode,
      format: seen?.latest.format,
      confirmed: cursorOf(position),
      pending: pendingCount(position, pages.end),
      inFlight: inFlightCount(position),
      returned: size(position.returned),
      warnings: [...(seen?.warnings ?? [])].map((code) => ({ code, message: WARNINGS[code] })),
    };
  });
}
