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
