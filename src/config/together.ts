import { ConfigError } from './error.ts';
import type { LoadedSettings, SettingKey } from './settings.ts';
import { SETTINGS } from './settings.ts';

type DurationKey = Extract<
  SettingKey,
  | 'scrape.lease'
  | 'server.headTimeout'
  | 'server.requestTimeout'
  | 'pulse.width'
  | 'event.ageMax'
  | `scrapers.${'lookback' | 'timeout' | 'namedTimeout'}`
>;

const FORGOTTEN = 'otherwise a scraper that was forgotten and comes back gets the same events twice';
const TOO_OLD = 'otherwise the end of a pulse comes too late for Prometheus';
const UNSETTLED = 'otherwise a scraper may be forgotten while its last scrape is still arriving';
const WHOLE = 'the headers are part of the request';

/** What must be shorter than what, and why. */
const SHORTER: readonly (readonly [shorter: DurationKey, longer: DurationKey, why: string])[] = [
  ['scrapers.lookback', 'scrapers.timeout', FORGOTTEN],
  ['scrapers.lookback', 'scrapers.namedTimeout', FORGOTTEN],
  ['pulse.width', 'event.ageMax', TOO_OLD],
  ['server.headTimeout', 'server.requestTimeout', WHOLE],
  ['scrape.lease', 'scrapers.timeout', UNSETTLED],
  ['scrape.lease', 'scrapers.namedTimeout', UNSETTLED],
];

/** Checks the rules that hold between settings. Throws a ConfigError. */
export function checkTogether({ settings, origins }: Pick<LoadedSettings, 'settings' | 'origins'>): void {
  const named = (key: DurationKey): string =>
    `${key} (${SETTINGS[key].type.format(settings[key])}, ${origins[key]})`;
  for (const [shorter, longer, why] of SHORTER) {
    if (settings[shorter] < settings[longer]) continue;
    throw new ConfigError(
      `${named(shorter)} must be shorter than ${named(longer)}: ${why}; lower one or raise the other`,
    );
  }
}
