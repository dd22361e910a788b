/** What is shown of an event. */
export interface FeedEvent {
  readonly offset: number;
  readonly series: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  readonly time: string;
  readonly arrived: string;
}

/** A page of `GET /api/v1/events`. */
export interface FeedPage {
  readonly events: readonly FeedEvent[];
  readonly next: number;
  readonly end: number;
  readonly gone: number;
}

export interface Wanted {
  /** How many events at most. */
  readonly lines: number;
  /** In ms since the Unix epoch: none that arrived before. */
  readonly since: number | undefined;
  readonly matches: (event: FeedEvent) => boolean;
}

export const PAGE_ENTRIES_MAX = 1_000;
/** How far back it looks for events that match: a log may hold millions of others. */
const PAGES_MAX = 100;

/** The newest events that match, oldest first. */
export interface Newest {
  readonly events: readonly FeedEvent[];
  /** What to ask for next, as `after`. */
  readonly next: number;
  /** How many entries it looked at, where it gave up before it had found as many as it may show. */
  readonly gaveUpAfter: number | undefined;
}

/** Reads backwards from the end of the log, page by page, until it has enough. `read` takes a query. */
export async function newest(read: (query: string) => Promise<FeedPage>, wanted: Wanted): Promise<Newest> {
  const { lines, since, matches } = wanted;
  const isWanted = (event: FeedEvent) => matches(event) && !isBefore(event, since);
  const limit = Math.min(Math.max(1, lines), PAGE_ENTRIES_MAX);
  const first = await read(`limit=${limit}`);
  if (lines === 0) return { events: [], next: first.end, gaveUpAfter: undefined };
  let next = first.next;
  let from = Math.max(0, first.end - limit);
  const found = first.events.filter(isWanted);
  let isOld = first.events.some((event) => isBefore(event, since));
  // A page is bounded in bytes, too: what it left out of the newest comes behind it.
  while (next < first.end) {
    const page = await read(`after=${next}&limit=${PAGE_ENTRIES_MAX}`);
    if (page.next <= next) break;
    next = page.next;
    found.push(...page.events.filter(isWanted));
  }
  for (let pages = 1; found.length < lines && from > 0 && !isOld; pages += 1) {
    if (pages > PAGES_MAX) return { events: found, next, gaveUpAfter: first.end - from };
    const upTo = from;
    from = Math.max(0, upTo - PAGE_ENTRIES_MAX);
    const older: FeedEvent[] = [];
    for (let after = from; after < upTo;) {
      const page = await read(`after=${after}&limit=${upTo - after}`);
      older.push(...page.events.filter(({ offset }) => offset <= upTo));
      // What lies before is gone from the log.
      if (page.gone > 0) from = 0;
      if (page.next <= after) break;
      after = page.next;
    }
    isOld = older.some((event) => isBefore(event, since));
    found.unshift(...older.filter(isWanted));
  }
  return { events: found.slice(-lines), next, gaveUpAfter: undefined };
}

function isBefore({ arrived }: FeedEvent, since: number | undefined): boolean {
  return since !== undefined && Date.parse(arrived) < since;
}
