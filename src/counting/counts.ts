import type { Part, Repair } from '../log/log.ts';

/** Why an accepted entry was given up for a scraper, or for all. */
export type DropReason =
  /** The scraper had more than `scrapers.backlogMax` entries to fetch; its oldest went. */
  | 'backlog_full'
  /** The log had reached `store.entriesMax` or `store.bytesMax`; its oldest went, though this scraper had not had them. */
  | 'log_full'
  /** It can't be read any more: the file of the log was damaged. */
  | 'damaged'
  /** The scraper was not seen for its timeout, and was forgotten with what it had not fetched. */
  | 'scraper_forgotten'
  /** The receiver behind a sink refused it for good. */
  | 'refused'
  /** The scraper gave no id of its own and came once only: somebody looked at `/metrics`, and nobody missed anything. */
  | 'one_visit'
  /** Nobody had ever scraped when the entry's time in the log was over. */
  | 'no_scraper';

/** Why an id was forgotten before its window was over: there were more than `ids.max`, or its part of the log was damaged. */
type ForgetReason = 'ids_max' | 'damaged';

/** How entries left an offer. */
export type DeliveryOutcome =
  /** The scraper proved that it had read them: its next request came on the same connection. Or a sink's receiver said that it has stored them. */
  | 'confirmed'
  /** Judged as delivered without proof: the connection ended well, or nothing was heard until the lease ended or the server restarted. */
  | 'unproven'
  /** The response broke before it was out whole, or timed samples did later; they are offered again. */
  | 'returned'
  /**
   * Untimed, and perhaps delivered: the client closed close to its scrape timeout, or by a reset, or it may have had them by a timed scrape
   * before; offered again, they may come twice.
   */
  | 'doubtful'
  /** Timed samples offered again for want of proof; stored once however often they come. */
  | 'repeated'
  /** Settled with a later event of the same series, which alone was shown in the same untimed scrape. */
  | 'collapsed';

/** What intake and delivery have done since the start, for the server's own metrics to read. One writer each; plain numbers. */
export interface Counts {
  accepted: number;
  /** Events that were not stored again, since one of their id, or a request of theirs, had been. */
  duplicates: number;
  /** Ids forgotten before their window was over. */
  readonly idsForgotten: Record<ForgetReason, number>;
  /** Parts of the log that were damaged, and made anew. */
  readonly repairs: Record<Part, number>;
  /** Values of labels that were cut to be stored. */
  truncated: number;
  /** What could not be used of what webhooks sent, though the rest of it was. */
  readonly leftOut: { event: number; label: number; time: number };
  /** Labels left out, since their event had too many. */
  labelsLeftOut: number;
  /** Events whose series was one too many within the hour: refused, or stored in a series for all of those. */
  readonly seriesOverflow: { refused: number; folded: number };
  /** Events that did not get the time that they were sent with, or arrived at. */
  retimed: number;
  /** Events shown later than they were, once for each scraper and offer: it came too late for their own time. */
  moved: number;
  /** Scrapes that got no events, since the log was away and their offer could not be saved. */
  withheld: number;
  readonly dropped: Record<DropReason, number>;
  readonly deliveries: Record<DeliveryOutcome, number>;
}

/** Counts a part of the log that was made anew, and what was lost with it. */
export function countRepair({ repairs, idsForgotten }: Counts, { part, lost }: Repair): void {
  repairs[part] += 1;
  if (part === 'ids') idsForgotten.damaged += lost;
}

/** Counts what was given up for one scraper. */
export function countDropped(
  { dropped }: Counts,
  entries: number,
  reason: 'backlog_full' | 'log_full' | 'scraper_forgotten',
  { isOneVisit }: { readonly isOneVisit?: true },
): void {
  dropped[isOneVisit === true ? 'one_visit' : reason] += entries;
}

export function newCounts(): Counts {
  return {
    accepted: 0,
    duplicates: 0,
    idsForgotten: { ids_max: 0, damaged: 0 },
    repairs: { ids: 0, counters: 0, scrapers: 0, meta: 0, file: 0 },
    truncated: 0,
    leftOut: { event: 0, label: 0, time: 0 },
    labelsLeftOut: 0,
    seriesOverflow: { refused: 0, folded: 0 },
    retimed: 0,
    moved: 0,
    withheld: 0,
    dropped: {
      backlog_full: 0,
      log_full: 0,
      damaged: 0,
      scraper_forgotten: 0,
      refused: 0,
      one_visit: 0,
      no_scraper: 0,
    },
    deliveries: { confirmed: 0, unproven: 0, returned: 0, doubtful: 0, repeated: 0, collapsed: 0 },
  };
}
