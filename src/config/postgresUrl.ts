import type { Environment } from './environment.ts';
import { ConfigError } from './error.ts';

/** Where a database is, as a connection URI of PostgreSQL says. */
export interface PostgresAddress {
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: TlsAddress | undefined;
}

export interface TlsAddress {
  readonly isOptional: boolean;
  readonly checks: 'nothing' | 'authority' | 'authority and host';
  readonly authorityFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
const URI = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST = /^(\[[\da-f:.%]+\]|[^:[\]]*)(?::(\d*))?$/i;
const PORT_DEFAULT = '5432';
const PORT_MAX = 65_535;
const EXAMPLE =
  'write postgres://user:password@host:5432/database, with special characters as %40 and the like';

/** The parameters that are used, and the variable that each has. */
const VARIABLES = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
} as const;

type Parameter = keyof typeof VARIABLES;
type Parts = Partial<Record<Parameter, string>>;

/** Those that change nothing here: it looks for a server that takes writes anyhow, and has timeouts of its own. */
const IGNORED = new Set(['application_name', 'connect_timeout', 'target_session_attrs', 'keepalives']);

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * A URI that says all: what one leaves out is taken from the variables that all programs for PostgreSQL have. Throws a ConfigError, which names
 * `label` and shows nothing that may be secret.
 */
export function completeUrl(label: string, url: string, env: Environment): string {
  const parts = url === '' ? {} : readParts(label, url);
  for (const [name, variable] of Object.entries(VARIABLES) as [Parameter, string][]) {
    const value = env[variable];
    if ((parts[name] ?? '') === '' && value !== undefined && value !== '') parts[name] = value;
  }
  if ((parts.host ?? '') === '')
    throw new ConfigError(
      `store.kind=postgres needs to know where the database is; set store.url, store.urlFile, or PGHOST and the other PG* variables`,
    );
  const query = Object.entries(parts).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const complete = `postgres://?${query.join('&')}`;
  // Whatever is wrong with it is told now.
  readPostgresUrl(complete, label);
  return complete;
}

/** Reads a URI that says all. Throws a ConfigError. */
export function readPostgresUrl(url: string, label = 'store.url'): PostgresAddress {
  const parts = readParts(label, url);
  const { host = '', port = PORT_DEFAULT, user = '', password, sslmode = 'prefer' } = parts;
  if (user === '') throw new ConfigError(`${label} names no user; ${EXAMPLE}, or set PGUSER`);
  if (!SSL_MODES.includes(sslmode))
    throw new ConfigError(`${label}: sslmode must be one of ${SSL_MODES.join(', ')}; use one of them`);
  const ports = port.split(',');
  const hosts = host.split(',').map((name, index) => ({
    host: name.replace(/^\[(.*)\]$/, '$1'),
    port: portOf(label, ports[index] ?? ports.at(-1) ?? ''),
  }));
  return {
    hosts,
    database: parts.dbname ?? user,
    user,
    password,
    tls: sslmode === 'disable' ? undefined : tlsOf(sslmode, parts),
  };
}

/** As libpq has it: a mode that requires TLS checks the authority if one is given. */
function tlsOf(mode: string, { sslrootcert, sslcert, sslkey }: Parts): TlsAddress {
  // The authorities that the system, or Node, knows.
  const authorityFile = sslrootcert === 'system' ? undefined : sslrootcert;
  const checksAuthority = mode === 'verify-ca' || (mode === 'require' && authorityFile !== undefined);
  return {
    isOptional: mode === 'allow' || mode === 'prefer',
    checks:
      mode === 'verify-full' || sslrootcert === 'system'
        ? 'authority and host'
        : checksAuthority
          ? 'authority'
          : 'nothing',
    authorityFile,
    certificateFile: sslcert,
    keyFile: sslkey,
  };
}

function readParts(label: string, url: string): Parts {
  const [whole, userInfo = '', hosts = '', database = '', query = ''] = URI.exec(url) ?? [];
  if (whole === undefined)
    throw new ConfigError(
      `${label} is no URL of a PostgreSQL database; ${EXAMPLE}; its value isn't shown because it is a secret`,
    );
  const parts: Parts = {};
  const take = (name: Parameter, value: string | undefined): void => {
    if (value !== undefined && value !== '') parts[name] = decoded(label, value);
  };
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(userInfo) ?? [];
  take('user', user);
  take('password', password);
  take('dbname', database);
  const named = hosts.split(',').map((each) => HOST.exec(each));
  if (named.includes(null)) throw new ConfigError(`${label} names a host that can't be; ${EXAMPLE}`);
  take('host', named.map((each) => each?.[1] ?? '').join(','));
  const ports = named.map((each) => each?.[2] ?? '');
  if (ports.some((each) => each !== '')) take('port', ports.map((each) => each || PORT_DEFAULT).join(','));
  // Unlike in a form, a + is one.
  for (const [, name = '', value = ''] of query.matchAll(/([^=&]+)=?([^&]*)/g)) {
    if (Object.hasOwn(VARIABLES, name)) take(name as Parameter, value);
    else if (!IGNORED.has(name))
      throw new ConfigError(
        `${label} has the parameter ${JSON.stringify(name.slice(0, 60))}, which isn't supported; use ${Object.keys(VARIABLES).join(', ')}`,
      );
  }
  return parts;
}

function decoded(label: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError(`${label} has a % that begins no character; ${EXAMPLE}`);
  }
}

function portOf(label: string, text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > PORT_MAX) throw new ConfigError(`${label}: the port must be from 1 to ${PORT_MAX}`);
  return port;
}
