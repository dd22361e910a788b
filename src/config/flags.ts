import { ConfigError } from './error.ts';
import { shown } from '../core/errors.ts';
import { suggestion } from './names.ts';
import type { Given, Table } from './setting.ts';

/** What the command line asks for. */
export type Action = 'run' | 'help' | 'version' | 'print-config';

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['--print-config', 'print-config'],
]);

export interface Flags {
  readonly action: Action;
  readonly given: ReadonlyMap<string, Given>;
}

/**
 * Reads the command line, without the program's own name: `--server.port=8090` or `--server.port 8090`.
 * Whoever asks for help or the version gets it, whatever else stands on the line. Throws a ConfigError.
 */
export function readFlags(argv: readonly string[], table: Table): Flags {
  for (const action of ['help', 'version'] as const) {
    if (argv.some((word) => ACTIONS.get(word) === action)) return { action, given: new Map() };
  }
  let action: Action = 'run';
  const given = new Map<string, Given>();
  const seen = new Set<string>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('-')) {
      throw new ConfigError(
        `unexpected argument ${shown(word)}; write settings as --key=value, see oneshot serve --help`,
      );
    }
    const { flag, value } = splitAtEquals(word);
    if (seen.has(flag)) throw new ConfigError(`flag ${shown(flag)} appears more than once; use it once`);
    seen.add(flag);

    const asked = ACTIONS.get(flag);
    if (asked !== undefined) {
      if (value !== undefined)
        throw new ConfigError(`flag ${flag} takes no value, not ${shown(value)}; write ${flag} alone`);
      action = asked;
      continue;
    }
    const key = flag.slice('--'.length);
    const row = flag.startsWith('--') && Object.hasOwn(table, key) ? table[key] : undefined;
    if (row === undefined) throw unknownFlag(flag, table);
    const next = words[0]?.startsWith('--') === false ? words[0] : undefined;
    if (value === undefined && next !== undefined) words.shift();
    const raw = value ?? next ?? (row.type.standsAlone ? true : undefined);
    if (raw === undefined)
      throw new ConfigError(`flag ${flag} needs a value; write ${flag}=${row.type.placeholder}`);
    given.set(key, { origin: `flag ${flag}`, parse: () => row.type.parse(raw) });
  }
  return { action, given };
}

function splitAtEquals(word: string): { flag: string; value: string | undefined } {
  const equals = word.indexOf('=');
  return equals === -1
    ? { flag: word, value: undefined }
    : { flag: word.slice(0, equals), value: word.slice(equals + 1) };
}

function unknownFlag(flag: string, table: Table): ConfigError {
  const known = [...Object.keys(table), 'help', 'version', 'print-config'];
  const near = suggestion(flag.replace(/^-+/, ''), known, '--');
  return new ConfigError(`unknown flag ${shown(flag)}${near}; oneshot serve --help lists all flags`);
}
