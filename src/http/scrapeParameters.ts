import { RefusedError, shown } from '../core/errors.ts';
import type { Mode } from '../core/position.ts';
import type { Format } from '../render/negotiate.ts';
import type { Parameters } from './identify.ts';

/** Whose time samples get: the event's own, the scrape's, or the event's own where the format can end a series. */
export type Timestamps = 'explicit' | 'scrape' | 'auto';

/**
 * How the samples of a scrape are timed: `timestamps=explicit|scrape|auto` says it, and the setting where it doesn't. With `auto` a
 * scraper that can't be told where a series ends is served as the setting says, untimed unless that is `explicit`. Throws a
 * RefusedError for anything else.
 */
export function modeOf(parameters: Parameters, setting: Timestamps, format: Pick<Format, 'kind'>): Mode {
  const asked = parameters.get('timestamps') ?? setting;
  switch (asked) {
    case 'explicit':
      return 'timed';
    case 'scrape':
      return 'untimed';
    case 'auto':
      return format.kind === 'protobuf' || setting === 'explicit' ? 'timed' : 'untimed';
    default:
      throw new RefusedError('timestamps', `timestamps ${shown(asked)} must be explicit, scrape or auto`);
  }
}

/**
 * Scrapers that keep one of several timed samples of a series in a scrape, and drop the others: the OpenTelemetry receiver, which goes by the
 * name of the collector that it was built into, and Prometheus 2.52.0 to 2.53.2 and 2.54.0
 * (https://github.com/prometheus/prometheus/issues/14257).
 */
const KEEPS_ONE = /^[^/\s]*(?:otel|opentelemetry)|^Prometheus\/2\.(?:52\.\d|53\.[0-2]|54\.0)(?!\d)/i;

/**
 * `series=once|all`, from the `params` of a scrape config: whether a timed scrape shows each series once and leaves its other samples for the
 * next. Without it, it does so for those who are known to need it. Throws a RefusedError for anything else.
 */
export function isOnce(parameters: Parameters, userAgent: string | undefined): boolean {
  const series = parameters.get('series');
  switch (series) {
    case undefined:
      return userAgent !== undefined && KEEPS_ONE.test(userAgent);
    case 'once':
      return true;
    case 'all':
      return false;
    default:
      throw new RefusedError('series', `series ${shown(series)} must be once or all`);
  }
}
