import type { Offset } from '../core/offset.ts';
import { cursorOf, inFlightCount, pendingCount } from '../core/position.ts';
import { size } from '../core/range.ts';
import type { IdentifiedBy } from '../log/scraperRecords.ts';
import type { Pages } from './page.ts';
import type { Scrapers } from './scrapers.ts';
import type { Sightings, Warning } from './sightings.ts';

/** How a sink is doing. Times are in ms since the Unix epoch. */
export interface SinkStatus {
  /** Without what may be a secret in it. */
  readonly url: string;
  /** The version of remote write that it is sent. */
  readonly protocol: string;
  /** When it last stored something. */
  readonly lastSuccess?: number;
  /** Since when, and why, it takes nothing. */
  readonly failing?: { readonly since: number; readonly why: string };
  /** Why it lacks the server's own metrics that were sent last. */
  readonly ownMetricsFailing?: string;
  /** Events that it refused and that were dropped, since the start. */
  readonly refused: number;
  /** The latest of these. */
  readonly refusals: readonly { readonly series: string; readonly at: number; readonly why: string }[];
}

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
  readonly warnings: readonly { readonly code: Warning | SinkWarning; readonly message: string }[];
  /** Of one that is called by us. */
  readonly sink: SinkStatus | undefined;
}

export const WARNINGS: Record<Warning, string> = {
  shared_id:
    'requests alternate between open connections: two jobs or servers seem to share this id; give each its own with params: {scraper: [...]}',
  http_proxy:
    'there is an HTTP proxy in between, and whatever it reads counts as read by the scraper; connect the scraper directly',
  unexpanded_id:
    'the id it sends contains an unexpanded variable, such as $(POD_NAME), and is ignored, because replicas would share it; set the real id with params: {scraper: [...]}',
};

type SinkWarning = 'not_configured';

/** A sink's own, since no scrape shows it. */
const NOT_CONFIGURED = {
  code: 'not_configured',
  message:
    'this sink is no longer in the configuration, and its events wait; configure it again, or forget it with oneshot scrapers forget',
} as const;

/** What is known of each scraper now. `statusOf`: how a sink is doing, by its id. */
export function overview(
  scrapers: Scrapers,
  sightings: Sightings,
  pages: Pages,
  statusOf: (id: string) => SinkStatus | undefined = () => undefined,
): ScraperOverview[] {
  return [...scrapers.all()].map((record) => {
    const { id, identifiedBy, address, firstSeen, lastSeen, position } = record;
    const seen = sightings.of(id);
    const isSink = identifiedBy === 'sink';
    const sink = isSink ? statusOf(id) : undefined;
    return {
      id,
      identifiedBy,
      address,
      firstSeen,
      lastSeen,
      // A sink is asked whenever there is something.
      intervalMs: isSink ? undefined : seen?.intervalMs,
      mode: seen?.latest.mode,
      format: seen?.latest.format,
      confirmed: cursorOf(position),
      pending: pendingCount(position, pages.end),
      inFlight: inFlightCount(position),
      returned: size(position.returned),
      warnings: [
        ...[...(seen?.warnings ?? [])].map((code) => ({ code, message: WARNINGS[code] })),
        ...(isSink && sink === undefined ? [NOT_CONFIGURED] : []),
      ],
      sink,
    };
  });
}
