import { ConfigError } from './error.ts';
import { shown } from '../core/errors.ts';
import { ENV_PREFIX, envName, suggestion } from './names.ts';
import type { Given, Table } from './setting.ts';

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the commands that talk to a server. They may well stand where a server starts, and are none of its settings. */
const OF_COMMANDS: ReadonlySet<string> = new Set(
  ['URL', 'TOKEN', 'USER', 'SPOOL'].map((name) => ENV_PREFIX + name),
);

/** Reads the environment: for each key its own variable, or else a variable of the Go server. Throws a ConfigError. */
export function readEnvironment(env: Environment, table: Table): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  const known = new Set<string>();
  for (const [key, { type, env: aliases = [] }] of Object.entries(table)) {
    const own = { name: envName(key), parse: (raw: string) => type.parse(raw) };
    known.add(own.name);
    for (const variable of [own, ...aliases]) {
      const raw = env[variable.name];
      if (raw === undefined || given.has(key) || isServiceLink(variable.name, raw, true)) continue;
      given.set(key, { origin: `environment ${variable.name}`, parse: () => variable.parse(raw) });
    }
  }
  for (const [name, raw] of Object.entries(env)) {
    if (
      raw === undefined ||
      !name.startsWith(ENV_PREFIX) ||
      known.has(name) ||
      OF_COMMANDS.has(name) ||
      isServiceLink(name, raw, false)
    )
      continue;
    throw unknownVariable(name, known);
  }
  return given;
}

/**
 * Kubernetes tells each pod of every Service in its namespace through variables named after the Service. For a Service named
 * `oneshot` or `oneshot-server` these begin as ours do, and one of them even is `ONESHOT_SERVER_PORT=tcp://10.0.0.1:8090`.
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 * A variable that is a setting's own is only such a link if its value is one, too.
 */
function isServiceLink(name: string, raw: string, isSetting: boolean): boolean {
  if (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(raw)) return true;
  return !isSetting && /_SERVICE_HOST$|_SERVICE_PORT|_PORT_\d+_(?:TCP|UDP|SCTP)/.test(name);
}

function unknownVariable(name: string, known: ReadonlySet<string>): ConfigError {
  const names = [...known].map((each) => each.slice(ENV_PREFIX.length));
  const near = suggestion(name.slice(ENV_PREFIX.length), names, ENV_PREFIX);
  return new ConfigError(
    `unknown environment variable ${shown(name)}${near}; unset it; oneshot serve --help lists all settings`,
  );
}
