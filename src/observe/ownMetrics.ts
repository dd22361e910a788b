import type { CloseReason } from '../http/closings.ts';
import type { LogLimits } from '../core/limits.ts';
import type { Memory, Share } from '../core/memory.ts';
import { HOLDERS } from '../core/memory.ts';
import type { Clock, Millis, Monotonic } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { inFlightCount, pendingCount } from '../core/position.ts';
import type { Label } from '../core/series.ts';
import type { LogState } from '../log/entryLog.ts';
import type { ScraperRecord } from '../log/scraperRecords.ts';
import { EventCounters, METRIC_LABEL } from '../counting/counters.ts';
import type { Counts } from '../counting/counts.ts';
import type { Offset } from '../core/offset.ts';
import type { Scrapers } from '../delivery/scrapers.ts';
import { shortValue } from '../counting/shortValue.ts';
import type { Family, FamilyGroup, MetricDescription } from '../render/families.ts';
import type { OwnMetric, Reading } from './ownMetric.ts';
import { counter, gauge, labelled } from './ownMetric.ts';
import { ProcessMetrics } from './processMetrics.ts';
import { SampleBudget } from './sampleBudget.ts';
import { sinkMetrics } from './sinkMetrics.ts';
import { storeMetrics } from './storeMetrics.ts';
import type { SinkState } from '../sinks/sinkState.ts';

export interface OwnMetricsParts {
  readonly version: string;
  readonly counts: Counts;
  readonly counters: Pick<EventCounters, 'all'>;
  readonly scrapers: Pick<Scrapers, 'all'>;
  readonly logEnd: () => Offset;
  readonly logState: () => LogState;
  /** Whether this server leads; undefined for one that has no others beside it. */
  readonly leads: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  readonly limits: OwnLimits;
  readonly memory: () => Memory;
  readonly linesLost: () => number;
  readonly connections: OwnConnections;
  readonly sinks: () => readonly SinkState[];
}

export interface OwnConnections {
  readonly open: () => number;
  readonly max: () => number;
  /** How many this side closed, by why. */
  readonly closed: Readonly<Record<CloseReason, number>>;
}

/** What the log, and what a scraper may claim of it, is held to; shown so that alerts can tell how full they are. */
export interface OwnLimits extends LogLimits {
  readonly backlogMax: number;
}

/**
 * So long before its first event a counter is said to have been at 0, which it was. Prometheus takes no zero that is not before the scrape, and
 * the event may come while a scrape is under way, or to a server whose clock is ahead. In ms.
 */
const CREATED_BEFORE_MS = 60_000;

const EVENTS_HELP = 'Events accepted, by the labels in counters.labels. Continues across restarts.';
const NO_LABELS: readonly Label[] = [];

/** How many requests of a route came to the same. */
interface RequestCount {
  readonly method: string;
  readonly status: number;
  readonly labels: readonly Label[];
  count: number;
}

/** The server's own metrics. They are read when they are asked for, in bounds; only requests are counted as they come. */
export class OwnMetrics {
  /** In the order in which they came first. */
  readonly #requests: RequestCount[] = [];
  readonly #requestsOf = new Map<string, RequestCount[]>();
  readonly #own: readonly OwnMetric[];
  readonly #process: ProcessMetrics;
  readonly #counters: OwnMetricsParts['counters'];
  readonly #names: ReadonlySet<string>;
  readonly #budget: SampleBudget;
  /** Those that were made last, and how many samples the server's own of them have. */
  #groups: readonly FamilyGroup[] = [];
  #samples = 0;
  /** All of the server's own counters but those of events begin with it. */
  readonly #startedAt: Millis;

  constructor(parts: OwnMetricsParts) {
    this.#counters = parts.counters;
    this.#startedAt = parts.clock();
    this.#own = [
      ...metricsOf(parts),
      ...sinkMetrics(parts.sinks),
      ...storeMetrics(parts.logState, parts.leads, parts.counts),
      this.#requestCounts(),
    ];
    this.#process = new ProcessMetrics(parts.elapsed);
    this.#budget = new SampleBudget(parts.elapsed);
    this.#names = new Set([
      EventCounters.metric,
      ...[...this.#own, ...this.#process.describe()].map(({ name }) => name),
    ]);
  }

  countRequest(route: string, method: string, status: number): void {
    const ofRoute = this.#requestsOf.get(route) ?? [];
    for (const known of ofRoute) {
      if (known.status !== status || known.method !== method) continue;
      known.count += 1;
      return;
    }
    const labels = labelled(['route', route], ['method', method], ['code', String(status)]);
    const first = { method, status, labels, count: 1 };
    this.#requests.push(first);
    this.#requestsOf.set(route, [...ofRoute, first]);
  }

  /** Tells whether a metric's name is one of these, or of the parts that one of these may have. */
  owns(metric: string): boolean {
    return (
      this.#names.has(metric) ||
      this.#names.has(metric.replace(/_(?:bucket|sum|count|total|info|created)$/, ''))
    );
  }

  /** All of them, in the order of a scrape. `eventLabels`: those of `counters.labels`. */
  describe(eventLabels: readonly string[]): readonly MetricDescription[] {
    const own = this.#own.map(({ name, type, labels, help }) => ({ name, type, labels, help }));
    const labels = [...eventLabels, METRIC_LABEL];
    const events = { name: EventCounters.metric, type: 'counter', labels, help: EVENTS_HELP } as const;
    return [...own, events, ...this.#process.describe()];
  }

  /**
   * All of them as they are now, but for those of the process, which may be a second old. Where many ask, or there are very many samples, all
   * of them may be: then those who ask get the very groups that were made before, and whoever made something of these has it still.
   */
  groups(): readonly FamilyGroup[] {
    const ofProcess = this.#process.group();
    // What was made before goes with the process' metrics beside it, which are made anew each second.
    const isRecent = this.#groups[1] === ofProcess;
    const mayMake = this.#budget.take(this.#samples);
    if (isRecent && !mayMake) return this.#groups;
    const own: Family[] = [];
    for (const { name, help, type, read, isHidden } of this.#own) {
      const samples = read().map(([value, labels]) => ({
        name,
        labels,
        value,
        ...(type === 'counter' && { createdAt: this.#startedAt }),
      }));
      if (samples.length > 0 || isHidden !== true) own.push({ name, help, type, samples });
    }
    const families = [...own, this.#events()];
    this.#samples = families.reduce((sum, { samples }) => sum + samples.length, 0);
    this.#groups = [{ families, isShared: true }, ofProcess];
    return this.#groups;
  }

  #requestCounts(): OwnMetric {
    return {
      ...counter('http_requests_total', 'HTTP requests answered, by route, method and status code.'),
      labels: ['route', 'method', 'code'],
      read: () => this.#requests.map(({ count, labels }): Reading => [count, labels]),
    };
  }

  /** Its label names are those of the configuration that each series was first counted under. */
  #events(): Family {
    const name = EventCounters.metric;
    const samples = [...this.#counters.all()].map(({ labels, value, since }) => ({
      name,
      labels,
      value,
      createdAt: millis(since - CREATED_BEFORE_MS),
    }));
    return { name, help: EVENTS_HELP, type: 'counter', samples };
  }
}

/** What is told of intake, delivery and the log, in the order of a scrape. */
function metricsOf({
  version,
  counts,
  scrapers,
  logEnd,
  logState,
  clock,
  limits,
  memory,
  linesLost,
  connections,
}: OwnMetricsParts): readonly OwnMetric[] {
  const runs = labelled(['version', version], ['node_version', process.version]);
  const ofScrapers = (
    read: (scraper: ScraperRecord) => number,
    isShown: (scraper: ScraperRecord) => boolean = () => true,
  ) => ({
    labels: ['scraper'],
    read: () =>
      // Who came once, and may never come again, isn't late, and has no backlog that anybody waits for.
      [...scrapers.all()]
        .filter((scraper) => scraper.isOneVisit !== true && isShown(scraper))
        .map((scraper): Reading => [read(scraper), [{ name: 'scraper', value: shortValue(scraper.id) }]]),
  });
  return [
    {
      ...gauge('build_info', 'Always 1. The labels have the versions.'),
      labels: ['version', 'node_version'],
      read: () => [[1, runs]],
    },
    {
      ...counter('event_count', 'Events accepted since the server started.'),
      ...single(() => counts.accepted),
    },
    {
      ...counter(
        'duplicates_total',
        'Events sent again with an id that is remembered, and not stored again.',
      ),
      ...single(() => counts.duplicates),
    },
    {
      ...counter('series_overflow_total', 'Events whose series was over series.perHourMax, by outcome.'),
      ...split('outcome', counts.seriesOverflow),
    },
    {
      ...counter(
        'label_values_truncated_total',
        "Label values cut to labels.valueTruncate, or to event.labelValueMax for senders that can't react to errors.",
      ),
      ...single(() => counts.truncated),
    },
    {
      ...counter(
        'webhook_left_out_total',
        "Parts of webhook bodies that couldn't be used and were left out: events, labels or times.",
      ),
      ...split('part', counts.leftOut),
    },
    {
      ...counter(
        'labels_left_out_total',
        "Labels left out because a series would have been longer than event.seriesMax, for senders that can't react to errors.",
      ),
      ...single(() => counts.labelsLeftOut),
    },
    { ...gauge('ids', 'Number of remembered ids.'), ...single(() => logState().ids) },
    {
      ...counter(
        'ids_forgotten_total',
        'Ids forgotten before the end of ids.window, by reason: there were more than ids.max, or the file was damaged.',
      ),
      ...split('reason', counts.idsForgotten),
    },
    {
      ...gauge(
        'scraper_counts',
        'Events that each known scraper has yet to collect. A scraper without its own id appears after its second scrape.',
      ),
      ...ofScrapers(({ position }) => pendingCount(position, logEnd())),
    },
    {
      ...gauge('scraper_in_flight', 'Of these, events in responses that are not settled yet.'),
      ...ofScrapers(({ position }) => inFlightCount(position)),
    },
    {
      ...gauge('scraper_backlog_limit', 'Maximum number of events waiting for one scraper.'),
      ...single(() => limits.backlogMax),
    },
    {
      ...gauge('scraper_last_seen_seconds', 'Seconds since each known scraper was last seen.'),
      // A sink is never away: it is we who come.
      ...ofScrapers(
        ({ lastSeen }) => Math.max(0, clock() - lastSeen) / 1000,
        ({ identifiedBy }) => identifiedBy !== 'sink',
      ),
    },
    {
      ...counter('deliveries_total', 'Events that left an offer, by outcome.'),
      ...split('outcome', counts.deliveries),
    },
    {
      ...counter(
        'dropped_total',
        'Events dropped, by reason, counted once for each scraper that should have had them.',
      ),
      ...split('reason', counts.dropped),
    },
    {
      ...counter('retimed_total', 'Events whose time is not the one they were sent with, or arrived at.'),
      ...single(() => counts.retimed),
    },
    {
      ...counter(
        'moved_total',
        'Events shown with a later time than their own, because Prometheus would drop them as too old.',
      ),
      ...single(() => counts.moved),
    },
    {
      ...counter('log_repairs_total', 'Damaged parts of the log that were rebuilt from what could be read.'),
      ...split('part', counts.repairs),
    },
    { ...gauge('log_entries', 'Number of entries in the log.'), ...single(() => logState().entries) },
    { ...gauge('log_size_bytes', 'Size of the log, in bytes.'), ...single(() => logState().bytes) },
    {
      ...gauge('log_entries_limit', 'Maximum number of entries in the log.'),
      ...single(() => limits.entriesMax),
    },
    {
      ...gauge('log_size_limit_bytes', 'Maximum size of the log, in bytes.'),
      ...single(() => limits.bytesMax),
    },
    {
      ...gauge('memory_limit_bytes', 'Share of memory.max that each holder may use, in bytes.'),
      ...ofShares(memory, ({ bytesMax }) => bytesMax),
    },
    {
      ...gauge('memory_bytes', 'Memory that each holder uses of it, in bytes.'),
      ...ofShares(memory, ({ held }) => held),
    },
    {
      ...counter(
        'memory_refused_total',
        'Requests that were refused or got less than they asked for because memory was short.',
      ),
      ...ofShares(memory, ({ refused }) => refused),
    },
    { ...gauge('connections', 'Number of open connections.'), ...single(connections.open) },
    { ...gauge('connections_limit', 'Maximum number of open connections.'), ...single(connections.max) },
    {
      ...counter('connections_closed_total', 'Connections that the server closed, by reason.'),
      ...split('reason', connections.closed),
    },
    {
      ...counter(
        'stderr_lines_lost_total',
        "Log lines that couldn't be written to standard error, because writing failed or nobody read them.",
      ),
      ...single(linesLost),
    },
  ];
}

/** One value without labels. */
function single(read: () => number) {
  return { labels: [], read: (): readonly Reading[] => [[read(), NO_LABELS]] };
}

/** A value for each share of the memory, which stands in one label. */
function ofShares(memory: () => Memory, read: (share: Share) => number) {
  const holders = HOLDERS.map((holder) => [holder, labelled(['holder', holder])] as const);
  return {
    labels: ['holder'],
    read: () => {
      const shares = memory();
      return holders.map(([holder, labels]): Reading => [read(shares[holder]), labels]);
    },
  };
}

/** A value for each key of a record, which stands in one label. The keys are there from the start. */
function split(label: string, counts: Readonly<Record<string, number>>) {
  const keys = Object.keys(counts).map((key) => [key, labelled([label, key])] as const);
  return {
    labels: [label],
    read: () => keys.map(([key, labels]): Reading => [counts[key] ?? 0, labels]),
  };
}
