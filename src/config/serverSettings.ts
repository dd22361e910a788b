import type { TextRule } from './valueTypes.ts';
import { NOT_EMPTY, integer, list, oneOf, port, text } from './valueTypes.ts';
import { GIB, HOUR, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

const LEVEL = oneOf(['ERROR', 'WARN', 'INFO', 'DEBUG'], { anyCase: true });

/** Who may do what, of those who have a password. */
const USER_SCOPES: TextRule = {
  pattern: /^.+=(?:write|scrape|admin)(?:\+(?:write|scrape|admin))*$/,
  rule: 'name=scope or name=scope+scope',
  remedy: 'the scopes are write, scrape and admin, for example prometheus=scrape',
  hides: true,
};

/** A host as a client names it. A port may stand there, and is ignored, as it is in what clients send. */
const HOST_NAME: TextRule = {
  pattern: /^(?:\*|(?:\*\.)?[^\s*/:@[\]]+(?::\d+)?|\[[\da-f:.]+\](?::\d+)?|[\da-f:.]+)$/i,
  rule: 'a host name, *.name or *',
  remedy: 'leave out http://, for example events.example or *.example',
};

/** https://www.rfc-editor.org/rfc/rfc6454#section-6.2 */
const ORIGIN: TextRule = {
  pattern: /^(?:\*|[a-z][a-z\d+.-]*:\/\/[^\s/*]+)$/i,
  rule: 'an origin or *',
  remedy:
    'write the scheme, the host and the port (if any) without a path, for example https://grafana.example',
};

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const SCHEMA_NAME: TextRule = {
  pattern: /^(?!pg_)[a-z_][\w$]{0,62}$/,
  rule: 'a name of at most 63 letters, digits and _, which begins with a lowercase letter and not with pg_',
  remedy: 'choose another, for example oneshot',
};

/** Settings of the process: where it listens, who is let in, what it logs, where it keeps events. */
export const SERVER_SETTINGS = {
  'server.host': setting({
    type: text(NOT_EMPTY),
    default: '::',
    doc: 'The address or host name to listen on. :: means all IPv6 and IPv4 addresses, or only IPv4 if the machine has no IPv6; 0.0.0.0 means all IPv4 addresses.',
  }),
  'server.port': setting({
    type: port(),
    default: 8090,
    doc: 'The TCP port to listen on. 0 picks a free port.',
  }),
  'server.trustedProxies': setting({
    type: list(),
    default: ['loopback', 'linklocal', 'private'],
    doc: 'Proxies whose X-Real-Ip and X-Forwarded-For headers are trusted: loopback, linklocal, private, addresses, or ranges such as 10.0.0.0/8. Empty trusts none.',
  }),
  'server.allowedHosts': setting({
    type: list(HOST_NAME),
    default: [],
    doc: 'More host names that clients may use (the Host header): names, *.name for all subdomains, or * for any. Names without a dot, IP addresses, names of private networks and clusters, and server.host are always accepted; others get 421, unless TLS or credentials are required.',
  }),
  'server.allowedOrigins': setting({
    type: list(ORIGIN),
    default: [],
    doc: "Origins of web pages that may post from a browser, such as https://grafana.example, or * for all. Pages of other sites get 403. Programs other than browsers don't need this.",
  }),
  'server.connectionsMax': setting({
    type: integer(1, 1_000_000),
    default: 10_000,
    doc: 'Maximum number of open connections. When one more arrives, the one that has been idle longest is closed; if none is idle, the new one is.',
  }),
  'server.connectionsPerClientMax': setting({
    type: integer(0, 1_000_000),
    default: 0,
    doc: 'Maximum number of open connections from one client address (for IPv6, from one /64 network). 0 means a quarter of server.connectionsMax. Raise it for a proxy that needs more.',
  }),
  'server.headTimeout': setting({
    type: duration({ min: 100, max: HOUR }),
    default: 20 * SECOND,
    doc: "Timeout for a TLS handshake, and after it for a request's headers. Must be shorter than server.requestTimeout.",
  }),
  'server.requestTimeout': setting({
    type: duration({ min: 100, max: HOUR }),
    default: MINUTE,
    doc: 'Timeout for receiving a whole request.',
  }),
  'server.stopTimeout': setting({
    type: duration({ min: 0, max: HOUR }),
    default: 10 * SECOND,
    doc: 'Maximum duration of a graceful stop. Connections that are still open then are cut.',
  }),

  'web.config.file': setting({
    type: text(),
    default: '',
    doc: 'File with TLS, users and passwords, headers and a rate limit, in the format of Prometheus exporters. Reloaded when it changes.',
  }),

  'auth.tokens.file': setting({
    type: text(),
    default: '',
    doc: 'File with the hashes of bearer tokens, and their scopes. Reloaded when it changes.',
  }),
  'auth.users': setting({
    type: list(USER_SCOPES),
    default: [],
    doc: 'What the users in web.config.file may do: prometheus=scrape, ci=write, or name=scope+scope. The scopes are write, scrape and admin. Users not listed here may do everything.',
  }),

  'limits.perClient': setting({
    type: integer(0, 1_000_000),
    default: 0,
    doc: 'Maximum number of posts per second from one client address, on average. 0 means no limit. Posts over the limit get 429.',
  }),
  'limits.perClientBurst': setting({
    type: integer(1, 1_000_000),
    default: 100,
    doc: 'Maximum number of posts from one client address at once, if limits.perClient is set.',
  }),
  'limits.total': setting({
    type: integer(0, 1_000_000),
    default: 0,
    doc: 'Maximum number of posts per second from all clients together, on average. 0 means no limit. Posts over the limit get 429.',
  }),
  'limits.totalBurst': setting({
    type: integer(1, 1_000_000),
    default: 1000,
    doc: 'Maximum number of posts from all clients together at once, if limits.total is set.',
  }),

  'memory.max': setting({
    type: size({ min: 0, max: 1024 * GIB }),
    default: 0,
    doc: "Memory for everything that clients can fill, in bytes: the newest events, series, and the requests and responses in progress. 0 means a quarter of the memory of the container or machine, but at most 512 MiB and 0.4 of V8's heap. The process needs about 100 MiB on top.",
  }),

  'config.file': setting({
    type: text(),
    default: '',
    notInFile: true,
    doc: 'The configuration file. It must exist. By default, config.json in the working directory is read if it exists.',
  }),

  'log.level': setting({
    type: LEVEL,
    default: 'INFO',
    env: [{ name: 'LOG_LEVEL', parse: (raw) => (raw === '' ? 'INFO' : LEVEL.parse(raw)) }],
    doc: 'The lowest level to log: ERROR, WARN, INFO or DEBUG.',
  }),

  'store.kind': setting({
    type: oneOf(['sqlite', 'memory', 'postgres']),
    default: 'sqlite',
    doc: 'Where to keep events: sqlite (a file that survives restarts), memory (lost when the process ends) or postgres (a PostgreSQL database; see docs/operate/postgresql.md).',
  }),
  'store.path': setting({
    type: text(NOT_EMPTY),
    default: './data',
    doc: "The directory of the store, created if it doesn't exist. Only the sqlite store uses it.",
  }),
  'store.url': setting({
    type: text(),
    default: '',
    secret: true,
    doc: 'The database of the postgres store, as postgres://user:password@host:5432/database. The PG* variables, such as PGHOST and PGPASSWORD, add what it leaves out.',
  }),
  'store.urlFile': setting({
    type: text(),
    default: '',
    doc: 'A file with the URL of the database, instead of store.url.',
  }),
  'store.schema': setting({
    type: text(SCHEMA_NAME),
    default: 'oneshot',
    doc: "The schema of the postgres store's tables in the database, created if it doesn't exist. Servers with different schemas don't share anything.",
  }),
  'replicas.lease': setting({
    type: duration({ min: SECOND, max: MINUTE }),
    default: 5 * SECOND,
    doc: 'With store.kind=postgres and several servers: how long after its last sign of life the server that delivers events keeps the lead. Use the same value on all of them.',
  }),
  'store.durability': setting({
    type: oneOf(['power', 'process']),
    default: 'power',
    doc: 'What accepted events survive in the sqlite store: power (a power failure; they are synced to disk before the server answers) or process (only a crash of the process).',
  }),
  'store.entriesMax': setting({
    type: integer(1, 1_000_000_000),
    default: 1_000_000,
    doc: 'Maximum number of entries in the store.',
  }),
  'store.bytesMax': setting({
    type: size({ min: MIB, max: 1024 * GIB }),
    default: GIB,
    doc: 'Maximum size of the store, in bytes.',
  }),
} as const satisfies Table;
