import { RefusedError, shown } from '../core/errors.ts';
import type { Parameters } from './identify.ts';

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
