import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { LogLimits } from '../core/limits.ts';
import type { Clock } from '../core/millis.ts';
import { inFlightCount, pendingCount } from '../core/position.ts';
import type { Label } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import type { Log } from '../log/log.ts';
import { EventCounters, METRIC_LABEL } from '../relay/counters.ts';
import type { Counts } from '../relay/counts.ts';
import type { Pages } from '../relay/page.ts';
import type { Scrapers } from '../relay/scrapers.ts';
import type { Family } from '../wire/out/families.ts';

export interface OwnMetricsParts {
  readonly version: string;
  readonly counts: Counts;
  readonly counters: EventCounters;
  readonly scrapers: Scrapers;
  readonly pages: Pages;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: OwnLimits;
}

/** What the log, and what a scraper may claim of it, is held to; shown so that alerts can tell how full they are. */
export interface OwnLimits extends LogLimits {
  readonly backlogMax: number;
}

/** What a metric is, for the page that lists them. */
export interface MetricDescription {
  readonly name: string;
  readonly type: Family['type'];
  readonly labels: readonly string[];
  readonly help: string;
}

const EVENTS_HELP = 'Events accepted, by the labels of counters.labels; goes on over restarts.';
const PREFIX = 'events_to_metrics_';

/** How many requests came to the same. */
interface RequestCount {
  readonly route: string;
  readonly method: string;
  readonly code: string;
  count: number;
}

/** The server's own metrics. They are read when they are asked for; only requests are counted as they come. */
export class OwnMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Map<string, RequestCount>();
  readonly #counters: EventCounters;
  readonly #names: ReadonlySet<string>;

  constructor(parts: OwnMetricsParts) {
    const { counts, counters, log, scrapers, pages, clock, limits } = parts;
    this.#counters = counters;
    this.#gauge('build_info', 'Always 1; the labels tell what runs.', ['version', 'node_version'], (set) => {
      set(1, { version: parts.version, node_version: process.version });
    });
    this.#counter('event_count', 'Events accepted since the start.', [], (add) => add(counts.accepted));
    this.#counter(
      'duplicates_total',
      'Events that were sent again under an id that is remembered, and were not stored again.',
      [],
      (add) => add(counts.duplicates),
    );
    this.#counter(
      'series_overflow_total',
      'Events whose series was one too many within the hour, by what became of them.',
      ['outcome'],
      (add) => {
        for (const [outcome, count] of Object.entries(counts.seriesOverflow)) add(count, { outcome });
      },
    );
    this.#counter(
      'label_values_truncated_total',
      'Values of labels that were cut to labels.valueTruncate.',
      [],
      (add) => add(counts.truncated),
    );
    this.#gauge('ids', 'Ids that are remembered.', [], (set) => set(log.state().ids));
    this.#counter(
      'ids_forgotten_total',
      'Ids forgotten before ids.window was over, since there were more than ids.max.',
      [],
      (add) => add(counts.idsForgottenEarly),
    );
    this.#gauge(
      'scraper_counts',
      'Events that each known scraper has yet to collect.',
      ['scraper'],
      (set) => {
        for (const { id, position } of scrapers.all())
          set(pendingCount(position, pages.end), { scraper: id });
      },
    );
    this.#gauge(
      'scraper_in_flight',
      'Of these, events out in responses that are not settled.',
      ['scraper'],
      (set) => {
        for (const { id, position } of scrapers.all()) set(inFlightCount(position), { scraper: id });
      },
    );
    this.#gauge('scraper_backlog_limit', 'Events that may wait for one scraper.', [], (set) =>
      set(limits.backlogMax),
    );
    this.#gauge(
      'scraper_last_seen_seconds',
      'Seconds since each known scraper was last seen.',
      ['scraper'],
      (set) => {
        const now = clock();
        for (const { id, lastSeen } of scrapers.all())
          set(Math.max(0, now - lastSeen) / 1000, { scraper: id });
      },
    );
    this.#counter(
      'deliveries_total',
      'Events that left an offer, by what became of them.',
      ['outcome'],
      (add) => {
        for (const [outcome, count] of Object.entries(counts.deliveries)) add(count, { outcome });
      },
    );
    this.#counter(
      'dropped_total',
      'Events given up, by reason; once for each scraper that they were for.',
      ['reason'],
      (add) => {
        for (const [reason, count] of Object.entries(counts.dropped)) add(count, { reason });
      },
    );
    this.#counter(
      'retimed_total',
      'Events that did not get the time that they were sent with, or arrived at.',
      [],
      (add) => add(counts.retimed),
    );
    this.#counter(
      'moved_total',
      'Events shown later than they were, since they would have come too late.',
      [],
      (add) => add(counts.moved),
    );
    this.#gauge('log_entries', 'Entries in the log.', [], (set) => set(log.state().entries));
    this.#gauge('log_size_bytes', 'Size of the log, in bytes.', [], (set) => set(log.state().bytes));
    this.#gauge('log_entries_limit', 'Entries that the log may hold.', [], (set) => set(limits.entriesMax));
    this.#gauge('log_size_limit_bytes', 'Bytes that the log may take.', [], (set) => set(limits.bytesMax));
    this.#counter(
      'http_requests_total',
      'HTTP requests answered, by route, method and status code.',
      ['route', 'method', 'code'],
      (add) => {
        for (const { count, ...labels } of this.#requests.values()) add(count, labels);
      },
    );
    collectDefaultMetrics({ register: this.#registry });
    this.#names = new Set([
      EventCounters.metric,
      ...this.#registry.getMetricsAsArray().map(({ name }) => name),
    ]);
  }

  countRequest(route: string, method: string, status: number): void {
    // The library would sort and join the labels at every request.
    const key = `${status} ${method} ${route}`;
    const known = this.#requests.get(key);
    if (known === undefined) this.#requests.set(key, { route, method, code: String(status), count: 1 });
    else known.count += 1;
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
    const metrics = this.#registry.getMetricsAsArray() as unknown as Registered[];
    return [
      ...metrics.map(({ name, type, labelNames, help }) => ({ name, type, labels: labelNames, help })),
      {
        name: EventCounters.metric,
        type: 'counter',
        labels: [...eventLabels, METRIC_LABEL],
        help: EVENTS_HELP,
      },
    ];
  }

  /** All of them as they are now. */
  async families(): Promise<Family[]> {
    const metrics = (await this.#registry.getMetricsAsJSON()) as unknown as Collected[];
    const own: Family[] = metrics.map(({ name, help, type, values }) => ({
      name,
      help,
      type,
      samples: values.map((sample) => ({
        name: sample.metricName ?? name,
        labels: labelsOf(sample.labels),
        value: sample.value,
      })),
    }));
    return [...own, this.#events()];
  }

  /** In no registry of the library's: its label names are those of the configuration that each series was first counted under. */
  #events(): Family {
    const name = EventCounters.metric;
    const samples = [...this.#counters.all()].map(({ labels, value }) => ({ name, labels, value }));
    return {
      name,
      help: EVENTS_HELP,
      type: 'counter',
      samples,
    };
  }

  #gauge(name: string, help: string, labelNames: string[], read: (set: Write) => void): void {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        read((value, labels) => this.set(labels ?? {}, value));
      },
    });
  }

  #counter(name: string, help: string, labelNames: string[], read: (add: Write) => void): void {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        read((value, labels) => this.inc(labels ?? {}, value));
      },
    });
  }
}

/** What the library gives for each metric; its own types leave out `metricName`. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: Family['type'];
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

/** A metric in the library's registry; its own types leave out `labelNames`. */
interface Registered {
  readonly name: string;
  readonly type: Family['type'];
  readonly labelNames: readonly string[];
  readonly help: string;
}

function labelsOf(labels: Collected['values'][number]['labels']): Label[] {
  return Object.entries(labels).map(([name, value]) => ({
    name,
    value: typeof value === 'number' ? formatSampleValue(value) : value,
  }));
}

type Write = (value: number, labels?: Record<string, string>) => void;
