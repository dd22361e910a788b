import type { TextRule } from './kinds.ts';
import { NOT_EMPTY, integer, list, oneOf, port, text } from './kinds.ts';
import { GIB, HOUR, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

const LEVEL = oneOf(['ERROR', 'WARN', 'INFO', 'DEBUG'], { anyCase: true });

/** Who may do what, of those who have a password. */
const USER_SCOPES: TextRule = {
  pattern: /^.+=(?:write|scrape|admin)(?:\+(?:write|scrape|admin))*$/,
  rule: 'name=scope or name=scope+scope',
  remedy: 'use the scopes write, scrape, admin, as in prometheus=scrape',
  hides: true,
};

/** A host as a client names it. A port may stand there, and is ignored, as it is in what clients send. */
const HOST_NAME: TextRule = {
  pattern: /^(?:\*|(?:\*\.)?[^\s*/:@[\]]+(?::\d+)?|\[[\da-f:.]+\](?::\d+)?|[\da-f:.]+)$/i,
  rule: "a host's name, *.name or *",
  remedy: 'write it without http://, as in events.example or *.example',
};

/** https://www.rfc-editor.org/rfc/rfc6454#section-6.2 */
const ORIGIN: TextRule = {
  pattern: /^(?:\*|[a-z][a-z\d+.-]*:\/\/[^\s/*]+)$/i,
  rule: 'an origin or *',
  remedy:
    'write the scheme, the host and the port, if it has one, and no path, as in https://grafana.example',
};

/** Settings of the process: where it listens, who is let in, what it logs, where it keeps events. */
export const SERVER_SETTINGS = {
  'server.host': setting({
    kind: text(NOT_EMPTY),
    default: '::',
    doc: 'The address or host name to listen on. :: is every address of IPv6 and IPv4, or of IPv4 alone where the machine has no IPv6; 0.0.0.0 is every address of IPv4.',
  }),
  'server.port': setting({
    kind: port(),
    default: 8090,
    doc: 'The TCP port to listen on. 0 takes any free port.',
  }),
  'server.trustedProxies': setting({
    kind: list(),
    default: ['loopback', 'linklocal', 'private'],
    doc: 'Who is believed when it names a client by X-Real-Ip or X-Forwarded-For: loopback, linklocal, private, addresses, or ranges such as 10.0.0.0/8. Empty trusts nobody.',
  }),
  'server.allowedHosts': setting({
    kind: list(HOST_NAME),
    default: [],
    doc: 'More names that clients may ask by (the header Host): names, *.name for all below it, or * for any. Names without a dot, addresses, names of private networks and clusters, and what the server listens on are always taken; others get 421, unless TLS or credentials are asked for.',
  }),
  'server.allowedOrigins': setting({
    kind: list(ORIGIN),
    default: [],
    doc: 'Origins of web pages that may post from a browser, such as https://grafana.example, or * for all. Pages of other sites get 403; programs that are no browsers need nothing.',
  }),
  'server.connectionsMax': setting({
    kind: integer(1, 1_000_000),
    default: 10_000,
    doc: 'How many connections may be open at once. For one more, the one that is idle longest is closed, or else the new one.',
  }),
  'server.connectionsPerClientMax': setting({
    kind: integer(0, 1_000_000),
    default: 0,
    doc: 'How many of them one client address may have; of IPv6, one network of 64 bits. 0 for a quarter of server.connectionsMax. Raise it for a proxy that needs more.',
  }),
  'server.headTimeout': setting({
    kind: duration({ min: 100, max: HOUR }),
    default: 20 * SECOND,
    doc: "How long a TLS handshake may take, and after it a request's head. Must be shorter than server.requestTimeout.",
  }),
  'server.requestTimeout': setting({
    kind: duration({ min: 100, max: HOUR }),
    default: MINUTE,
    doc: 'How long a whole request may take to arrive.',
  }),
  'server.stopTimeout': setting({
    kind: duration({ min: 0, max: HOUR }),
    default: 10 * SECOND,
    doc: 'A graceful stop takes at most this long; what is still open then is cut.',
  }),

  'web.config.file': setting({
    kind: text(),
    default: '',
    doc: "TLS, users with passwords, headers and a rate limit, in the format of Prometheus' exporters. Read again when it changes.",
  }),

  'auth.tokens.file': setting({
    kind: text(),
    default: '',
    doc: 'Bearer tokens by their hashes, each with its scopes. Read again when it changes.',
  }),
  'auth.users': setting({
    kind: list(USER_SCOPES),
    default: [],
    doc: 'What users of web.config.file may do: prometheus=scrape, ci=write, or name=scope+scope with write, scrape, admin. A user who is not named may do everything.',
  }),

  'limits.perClient': setting({
    kind: integer(0, 1_000_000),
    default: 0,
    doc: 'How many posting requests one client address may send in a second, on average. 0 for no limit. One too many gets 429.',
  }),
  'limits.perClientBurst': setting({
    kind: integer(1, 1_000_000),
    default: 100,
    doc: 'How many posting requests one client address may send at once, with limits.perClient.',
  }),
  'limits.total': setting({
    kind: integer(0, 1_000_000),
    default: 0,
    doc: 'How many posting requests all clients together may send in a second, on average. 0 for no limit. One too many gets 429.',
  }),
  'limits.totalBurst': setting({
    kind: integer(1, 1_000_000),
    default: 1000,
    doc: 'How many posting requests all clients together may send at once, with limits.total.',
  }),

  'memory.max': setting({
    kind: size({ min: 0, max: 1024 * GIB }),
    default: 0,
    doc: "Memory for everything that clients can fill, in bytes: the newest events, series, requests and answers under way. 0 takes a quarter of the container's memory, or the machine's, but at most 512 MiB and 0.4 of V8's heap. The process needs some 100 MiB beside it.",
  }),

  'config.file': setting({
    kind: text(),
    default: '',
    notInFile: true,
    doc: 'The configuration file, which must exist if it is named here. By default config.json in the working directory is read if it exists.',
  }),

  'log.level': setting({
    kind: LEVEL,
    default: 'INFO',
    env: [{ name: 'LOG_LEVEL', parse: (raw) => (raw === '' ? 'INFO' : LEVEL.parse(raw)) }],
    doc: 'The least level that is logged: ERROR, WARN, INFO or DEBUG.',
  }),

  'store.kind': setting({
    kind: oneOf(['sqlite', 'memory']),
    default: 'sqlite',
    doc: 'Where events are kept: sqlite (a file that survives restarts) or memory (lost when the process ends).',
  }),
  'store.path': setting({
    kind: text(NOT_EMPTY),
    default: './data',
    doc: 'The directory of the store, made if it does not exist. The memory store needs none.',
  }),
  'store.durability': setting({
    kind: oneOf(['power', 'process']),
    default: 'power',
    doc: 'What an accepted event survives: power (a power failure; synced to disk before the answer) or process (only the end of the process).',
  }),
  'store.entriesMax': setting({
    kind: integer(1, 1_000_000_000),
    default: 1_000_000,
    doc: 'How many entries the store holds at most.',
  }),
  'store.bytesMax': setting({
    kind: size({ min: MIB, max: 1024 * GIB }),
    default: GIB,
    doc: 'How many bytes the store holds at most.',
  }),
} as const satisfies Table;
