import type { ScrapeConfig } from '../support/prometheus.ts';
import type { CollectorName } from './collector.ts';

/** How events come to Prometheus; `spread` gives one event of a series at each scrape, in order. */
export type FormatName = 'timed protobuf' | 'timed text' | 'untimed' | 'untimed spread';

/** What a format asks of both sides, and what can be checked of it. */
export interface Format {
  readonly timed: boolean;
  /** How many series the events share; undefined where each has one of its own. */
  readonly series: number | undefined;
  /** How long a pulse is, in ms, where the format shows its end. */
  readonly pulseMs: number | undefined;
  readonly serverFlags: readonly string[];
  readonly prometheusFlags: readonly string[];
  readonly scrapeConfig: Partial<ScrapeConfig>;
}

/** The shortest there is, and about as long as the pause between two events of a series: some pulses end, others are extended. */
const PULSE_MS = 1_000;
/** Few, so that each has many events, and several of them in one scrape. */
const TIMED_SERIES = 64;
/** So many that what waits for its turn in a series is soon through it, and still several are in one scrape. */
const SPREAD_SERIES = 1_024;
const EXPLICIT = '--scrape.timestamps=explicit';

const UNTIMED: Format = {
  timed: false,
  series: undefined,
  pulseMs: undefined,
  serverFlags: [],
  prometheusFlags: [],
  scrapeConfig: {},
};

export function formatOf(name: FormatName, version: CollectorName): Format {
  switch (name) {
    case 'untimed':
      return UNTIMED;
    case 'untimed spread':
      return { ...UNTIMED, series: SPREAD_SERIES, serverFlags: ['--scrape.collapse=spread'] };
    case 'timed text':
      return {
        ...UNTIMED,
        timed: true,
        series: TIMED_SERIES,
        serverFlags: [EXPLICIT],
        // Prometheus' default; VictoriaMetrics ignores timestamps without it.
        scrapeConfig: { honor_timestamps: true },
      };
    case 'timed protobuf':
      return {
        timed: true,
        series: TIMED_SERIES,
        pulseMs: PULSE_MS,
        serverFlags: [EXPLICIT, `--pulse.width=${PULSE_MS}ms`],
        ...askingForProtobuf(version),
      };
    default:
      return name satisfies never;
  }
}

/** 2.42 asks for protobuf with a flag; later ones are told by the scrape config. */
function askingForProtobuf(version: CollectorName): Pick<Format, 'prometheusFlags' | 'scrapeConfig'> {
  if (version === '2.42')
    return { prometheusFlags: ['--enable-feature=native-histograms'], scrapeConfig: {} };
  const protocols = ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'];
  return { prometheusFlags: [], scrapeConfig: { scrape_protocols: protocols } };
}
