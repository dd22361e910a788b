import { readFileSync } from 'node:fs';
import { ConfigError } from './error.ts';
import { shown } from '../core/errors.ts';
import { groupsOf, suggestion } from './names.ts';
import type { Given, Table } from './setting.ts';

/** Reads a whole file as UTF-8; undefined where there is none. Throws what the system throws. */
export type ReadFile = (path: string) => string | undefined;

/** The only input and output of this room. */
export const readConfigFile: ReadFile = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
};

/**
 * Keys that config.json of the replaced server held and that had no effect there, or have none here: such a file still starts this
 * server. Its `server.host` and `server.port` mean the same here.
 */
const RETIRED: ReadonlySet<string> = new Set([
  'app',
  'server.maintenance',
  'server.protocol',
  'server.domain',
  'server.timeout',
  'server.maxUploadSize',
]);

const REMOVE_IT = 'correct or remove it; oneshot serve --help lists all settings';

/**
 * Reads the text of config.json: nested objects, dotted keys, or both: `{"server": {"port": 8090}, "log.level": "DEBUG"}`.
 * `path` is the file's name for errors. Throws a ConfigError.
 */
export function readSettingsText(path: string, text: string, table: Table): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  const keys = Object.keys(table);
  const groups = groupsOf(table).map(([group]) => group);

  const take = (key: string, raw: unknown): void => {
    if (RETIRED.has(key)) return;
    const row = Object.hasOwn(table, key) ? table[key] : undefined;
    if (row !== undefined) {
      if (row.notInFile)
        throw new ConfigError(`${key} can't be set in ${path}; use a flag or an environment variable`);
      if (given.has(key))
        throw new ConfigError(`${key} is set twice in ${path}, nested and dotted; keep one of them`);
      given.set(key, { origin: path, parse: () => row.type.parse(raw) });
    } else if (keys.some((each) => each.startsWith(`${key}.`))) {
      if (!isObject(raw))
        throw new ConfigError(
          `${key} in ${path} must be an object of settings, not ${kindOf(raw)}; ${REMOVE_IT}`,
        );
      for (const [name, inner] of Object.entries(raw)) take(`${key}.${name}`, inner);
    } else {
      const near = suggestion(key, [...keys, ...groups]);
      throw new ConfigError(`unknown key ${shown(key)} in ${path}${near}; ${REMOVE_IT}`);
    }
  };

  const root = parseJson(path, text.replace(/^\uFEFF/, ''));
  if (!isObject(root))
    throw new ConfigError(
      `${path} must contain one JSON object, not ${kindOf(root)}; write {} for no settings`,
    );
  for (const [key, raw] of Object.entries(root)) take(key, raw);
  return given;
}

function isObject(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** What stands in the place of an object may be a secret, so it is not shown. */
function kindOf(raw: unknown): string {
  if (raw === null) return 'null';
  return Array.isArray(raw) ? 'an array' : `a ${typeof raw}`;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const at = firstWrongCharacter(text);
    const lines = text.slice(0, at).split('\n');
    const what = at < text.length ? `unexpected ${shown(text.charAt(at))}` : 'it ends too early';
    const where = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
    const hint = 'JSON allows only double quotes, no comments and no trailing comma';
    throw new ConfigError(`${path} is not valid JSON at ${where}: ${what}; ${hint}`, { cause });
  }
}

/**
 * Where invalid JSON goes wrong; its length where it only ends too early. JSON.parse gives the position in some of its messages
 * and not in others, but it reads from left to right: so that is the last character of the shortest beginning that fails
 * before its own end.
 */
function firstWrongCharacter(text: string): number {
  let fine = 0;
  let wrong = text.length + 1;
  while (wrong - fine > 1) {
    const middle = Math.floor((fine + wrong) / 2);
    if (failsBeforeItsEnd(text.slice(0, middle))) wrong = middle;
    else fine = middle;
  }
  return wrong - 1;
}

function failsBeforeItsEnd(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const position = / at position (\d+)/.exec(message)?.[1];
    return position === undefined ? !message.startsWith('Unexpected end') : Number(position) < text.length;
  }
}
