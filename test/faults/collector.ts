import type { PrometheusVersion, ScrapeConfig, Series } from '../support/prometheus.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import type { StoredSeries } from '../support/tsdb.ts';
import { storedSeries } from '../support/tsdb.ts';
import { VictoriaMetrics, requireVictoriaMetrics } from '../support/victoriaMetrics.ts';

/** Who scrapes: a version of Prometheus, or VictoriaMetrics 1.145. */
export type CollectorName = PrometheusVersion | 'vm';

/** The process that scrapes, as far as faults strike it. */
export interface CollectorProcess {
  readonly pid: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  reload(scrapeConfigs: readonly ScrapeConfig[]): Promise<void>;
  query(promql: string): Promise<readonly Series[]>;
  log(): Promise<string>;
}

export interface Collector {
  readonly process: CollectorProcess;
  /** Every series of a metric, sample by sample, between two times in Unix ms. */
  stored(metric: string, start: number, end: number): Promise<readonly StoredSeries[]>;
}

/** Why it can't be had here; undefined where it can. In CI it throws instead. */
export function missing(name: CollectorName): string | undefined {
  return binaryOf(name) === undefined ? `${name}: ${HOW_TO_GET_PROMETHEUS}` : undefined;
}

/** Throws where there is none. */
export function collectorOf(name: CollectorName, flags: readonly string[]): Collector {
  const binary = binaryOf(name);
  if (binary === undefined) throw new Error(`${name}: ${HOW_TO_GET_PROMETHEUS}`);
  if (name === 'vm') return victoriaMetrics(binary);
  const process = new Prometheus({ binary, scrapeConfigs: [], flags });
  return { process, stored: (...which) => storedSeries(process.url, ...which) };
}

/** One that stores a sample which comes several times once, and finds at once what it has. */
function victoriaMetrics(binary: string): Collector {
  const flags = ['-dedup.minScrapeInterval=1ms', '-search.latencyOffset=0s', '-search.disableCache'];
  const victoria = new VictoriaMetrics({ binary, config: configOf([]), flags });
  const process: CollectorProcess = {
    get pid() {
      return victoria.pid;
    },
    start: () => victoria.start(),
    kill: () => victoria.kill(),
    stop: () => victoria.stop(),
    log: () => victoria.log(),
    query: (promql) => victoria.samples(promql),
    reload: (scrapeConfigs) => victoria.reload(configOf(scrapeConfigs)),
  };
  const stored: Collector['stored'] = async (metric, start, end) =>
    (await victoria.exported(metric, true)).map(({ metric: labels, samples }) => ({
      labels,
      // It has no ends of pulses to tell: a mark that a series has ended is exported as NaN.
      samples: samples.filter(({ at, value }) => at >= start && at <= end && !Number.isNaN(value)),
      endsAt: [],
    }));
  return { process, stored };
}

/** A file of scrape configs. JSON is YAML. */
function configOf(scrapeConfigs: readonly ScrapeConfig[]): string {
  const jobs = scrapeConfigs.map(({ targets, ...rest }) => ({ ...rest, static_configs: [{ targets }] }));
  return `scrape_configs: ${JSON.stringify(jobs)}\n`;
}

function binaryOf(name: CollectorName): string | undefined {
  return name === 'vm' ? requireVictoriaMetrics() : requirePrometheus(name);
}
