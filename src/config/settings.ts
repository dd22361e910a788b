import { EVENT_SETTINGS } from './eventSettings.ts';
import { SCRAPE_SETTINGS } from './scrapeSettings.ts';
import { SERVER_SETTINGS } from './serverSettings.ts';

/**
 * Every setting there is. A row in one of these is all it takes to add one: config.json, environment, flags, --help, --print-config and the
 * page docs/operate/config.md follow from it.
 */
export const SETTINGS = { ...SERVER_SETTINGS, ...EVENT_SETTINGS, ...SCRAPE_SETTINGS };

export type SettingKey = keyof typeof SETTINGS;

/** All settings by key: durations in milliseconds, sizes in bytes. */
export type Settings = { readonly [K in SettingKey]: (typeof SETTINGS)[K]['default'] };

/** Settings that keep all rules, with what --print-config tells of them. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** Where each value came from: "default", "config.json", "environment ONESHOT_SERVER_PORT", "flag --server.port". */
  readonly origins: Readonly<Record<SettingKey, string>>;
  /** The configuration file that was read, if any. */
  readonly file: string | undefined;
}
