import { ConfigError } from './error.ts';
import { shown } from '../core/errors.ts';
import type { Environment } from './environment.ts';
import { readEnvironment } from './environment.ts';
import type { ReadFile } from './file.ts';
import { readSettingsText } from './file.ts';
import { readFlags } from './flags.ts';
import type { JsonObject } from './json.ts';
import { completeUrl } from './postgresUrl.ts';
import type { SecretSources } from './secrets.ts';
import { readSecret, readSecrets, readSinkSecrets } from './secrets.ts';
import type { Given } from './setting.ts';
import { readGiven } from './setting.ts';
import type { LoadedSettings, SettingKey, Settings } from './settings.ts';
import { SETTINGS } from './settings.ts';
import { checkTogether } from './together.ts';

/** Where settings come from. Nothing else is looked at. */
export interface Sources {
  /** The command line without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly readFile: ReadFile;
  /** False for who has no use for secrets, and may not be allowed to read them: those that are kept elsewhere stay there. */
  readonly readsSecrets?: boolean;
}

/** What is to be done. Who asks for help gets it even with a broken configuration. */
export type Loaded =
  { readonly action: 'help' | 'version' } | ({ readonly action: 'run' | 'print-config' } & LoadedSettings);

/** Read if it is there, when `config.file` names no other. */
const DEFAULT_FILE = 'config.json';

/** Loads all settings: a flag wins over the environment, that over the file, that over the default. Throws a ConfigError. */
export function loadSettings({ argv, env, readFile, readsSecrets = true }: Sources): Loaded {
  const { action, given: flags } = readFlags(argv, SETTINGS);
  if (action === 'help' || action === 'version') return { action };
  const environment = readEnvironment(env, SETTINGS);
  const { file, given: fromFile } = readFileNamed(resolve('config.file', [flags, environment]), readFile);

  const settings: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    const { value, origin } = resolve(key, [flags, environment, fromFile]);
    settings[key] = value;
    origins[key] = origin;
  }
  const secrets = readsSecrets ? { env, readFile } : undefined;
  settings['webhooks'] = readSecrets('webhooks', settings['webhooks'] as JsonObject, secrets);
  settings['sinks'] = readSinkSecrets('sinks', settings['sinks'] as JsonObject, secrets);
  if (secrets !== undefined && settings['store.kind'] === 'postgres')
    Object.assign(settings, { 'store.url': urlOfStore(settings as Settings, origins, secrets) });
  const loaded = { settings: settings as Settings, origins: origins as LoadedSettings['origins'], file };
  checkTogether(loaded);
  return { action, ...loaded };
}

/** The whole URL of the database, from wherever its parts are. */
function urlOfStore(
  { 'store.url': url, 'store.urlFile': file }: Settings,
  origins: Record<string, string>,
  secrets: SecretSources,
): string {
  if (file === '') return completeUrl(`store.url (${origins['store.url']})`, url, secrets.env);
  if (url !== '') throw new ConfigError('store.url and store.urlFile are both set; remove one of them');
  origins['store.url'] = 'store.urlFile';
  const text = readSecret('store.urlFile', { file }, secrets);
  return completeUrl(`the file of store.urlFile`, text.trim(), secrets.env);
}

interface Resolved<T> {
  readonly value: T;
  readonly origin: string;
}

/** The value of the first source that gives one. */
function resolve<K extends SettingKey>(
  key: K,
  sources: readonly ReadonlyMap<string, Given>[],
): Resolved<Settings[K]> {
  const row = SETTINGS[key];
  const given = sources.find((source) => source.has(key))?.get(key);
  if (given === undefined) return { value: row.default as Settings[K], origin: 'default' };
  return { value: readGiven(key, row, given) as Settings[K], origin: given.origin };
}

function readFileNamed(
  named: Resolved<string>,
  readFile: ReadFile,
): { file: string | undefined; given: ReadonlyMap<string, Given> } {
  const path = named.value === '' ? DEFAULT_FILE : named.value;
  const label = named.value === '' ? 'config.file' : `config.file (${named.origin})`;
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${label}: can't read ${shown(path)}: ${why}; check the path and its permissions`, {
      cause,
    });
  }
  if (text !== undefined) return { file: path, given: readSettingsText(path, text, SETTINGS) };
  if (named.value === '') return { file: undefined, given: new Map() };
  throw new ConfigError(`${label} names ${shown(path)}, which does not exist; create it or correct the path`);
}
