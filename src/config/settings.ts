import { jsonObject } from './json.ts';
import type { TextRule } from './kinds.ts';
import { NOT_EMPTY, boolean, integer, list, oneOf, port, refused, text } from './kinds.ts';
import { DAY, GIB, HOUR, KIB, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

/** The longest span that one of Node's timers can hold is 2^31 - 1 ms, 24.8 days; a longer one would fire at once. */
const TIMER_MAX = 24 * DAY;

/** A text of more than 2^29 characters can't be built in V8, and a body becomes one. */
const BODY_MAX = 256 * MIB;

const LEVEL = oneOf(['ERROR', 'WARN', 'INFO', 'DEBUG'], { anyCase: true });

/** Source: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const METRIC_NAME: TextRule = {
  pattern: /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
  rule: 'a metric name ([a-zA-Z_:][a-zA-Z0-9_:]*)',
  remedy: 'use letters, digits, _ and : only, and no digit first',
};

/** Names that no event's label has, and that would break a scrape: `__name__` by naming something else, NUL in any text format. */
const LABEL_NAME: TextRule = {
  pattern: /^(?!__)[^\0]+$/,
  rule: "a label's name that does not begin with __",
  remedy: "name labels that events carry; the events' metric is counted apart in any case",
};

/** Who may do what, of those who have a password. */
const USER_SCOPES: TextRule = {
  pattern: /^.+=(?:write|scrape|admin)(?:\+(?:write|scrape|admin))*$/,
  rule: 'name=scope or name=scope+scope',
  remedy: 'use the scopes write, scrape, admin, as in prometheus=scrape',
};

/** The Go server's switch between the two kinds of timestamps. */
function explicitTimestamps(raw: string): 'scrape' | 'explicit' {
  const word = raw.toLowerCase();
  if (word === 'true') return 'explicit';
  if (word === 'false' || word === '') return 'scrape';
  throw refused('true or false', raw, 'write USE_EXPLICIT_TIMESTAMPS=true for explicit, false for scrape');
}

/**
 * Every setting there is. A row is all it takes to add one: config.json, environment, flags, --help, --print-config and the page
 * docs/operate/config.md follow from it.
 */
export const SETTINGS = {
  'server.host': setting({
    kind: text(NOT_EMPTY),
    default: '0.0.0.0',
    doc: 'The address or host name to listen on. :: listens on IPv6 and IPv4.',
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
  'server.connectionsMax': setting({
    kind: integer(1, 1_000_000),
    default: 10_000,
    doc: 'How many connections may be open at once. One more is closed at once.',
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

  'event.metric': setting({
    kind: text(METRIC_NAME),
    default: 'events_to_metrics',
    doc: 'The metric name of an event that does not name one itself.',
  }),
  'event.bodyMax': setting({
    kind: size({ min: 1, max: BODY_MAX }),
    default: MIB,
    doc: 'The longest request body, in bytes.',
  }),
  'event.urlMax': setting({
    kind: size({ min: 256, max: MIB }),
    default: 64 * KIB,
    doc: 'The longest request URL, in bytes.',
  }),
  'event.labelsMax': setting({
    kind: integer(1, 10_000),
    default: 64,
    doc: 'How many labels one event may have.',
  }),
  'event.labelNameMax': setting({
    kind: size({ min: 1, max: 64 * KIB }),
    default: 256,
    doc: 'The longest label or metric name, in bytes of UTF-8.',
  }),
  'event.labelValueMax': setting({
    kind: size({ min: 1, max: MIB }),
    default: 4 * KIB,
    doc: 'The longest label value, in bytes of UTF-8.',
  }),

  'event.idMax': setting({
    kind: size({ min: 16, max: 4 * KIB }),
    default: 256,
    doc: 'The longest id of an event or a request, in bytes of UTF-8.',
  }),
  'event.names': setting({
    kind: oneOf(['legacy', 'utf8']),
    default: 'legacy',
    doc: 'Which metric and label names are taken: legacy (letters, digits and _) or utf8 (any text, as Prometheus 3 takes it).',
  }),
  'event.ageMax': setting({
    kind: duration({ min: SECOND, max: 55 * MINUTE }),
    default: 50 * MINUTE,
    doc: 'How old an event may be by the time that it was sent with, and in a timed scrape when it is first offered. An older one is moved up, and counted. Prometheus drops what is older than an hour.',
  }),
  'event.aheadMax': setting({
    kind: duration({ min: 0, max: 9 * MINUTE }),
    default: 5 * MINUTE,
    doc: 'How far in the future the time may lie that an event was sent with. A later one is moved, and counted. Prometheus drops what is more than 10 minutes ahead.',
  }),

  'batch.eventsMax': setting({
    kind: integer(1, 10_000_000),
    default: 100_000,
    doc: 'How many events one request may bring.',
  }),

  'batch.bytesMax': setting({
    kind: size({ min: KIB, max: 16 * GIB }),
    default: 64 * MIB,
    doc: 'The longest NDJSON body, in bytes. It is read line by line, and a line is as long as event.bodyMax at most.',
  }),

  'cloudevents.data': setting({
    kind: list(),
    default: [],
    doc: "What of a CloudEvent's data becomes a label: label=/json/pointer, several separated by commas. The label value sets the event's value.",
  }),

  'ids.window': setting({
    kind: duration({ min: MINUTE, max: 365 * DAY }),
    default: DAY,
    doc: 'How long an id is remembered: what is sent again under it in this time is stored once.',
  }),
  'ids.max': setting({
    kind: integer(1, 100_000_000),
    default: 1_000_000,
    doc: 'How many ids are remembered at most. Beyond it the oldest are forgotten before their time, and counted. Each takes some 60 bytes of disk, beside store.bytesMax.',
  }),

  'labels.drop': setting({
    kind: list(LABEL_NAME),
    default: [],
    doc: 'Labels that are left out of every event.',
  }),
  'labels.keep': setting({
    kind: list(LABEL_NAME),
    default: [],
    doc: 'The only labels that events keep. Empty keeps all.',
  }),
  'labels.valueTruncate': setting({
    kind: size({ min: 0, max: MIB }),
    default: 0,
    doc: 'Label values are cut to so many bytes of UTF-8, at a character, and counted. 0 cuts none: a value beyond event.labelValueMax is refused.',
  }),

  'series.perHourMax': setting({
    kind: integer(0, 10_000_000),
    default: 0,
    doc: 'How many new series may appear within an hour of the clock. A series that had an event in this hour or the last is not new. 0 sets no limit.',
  }),
  'series.overflow': setting({
    kind: oneOf(['refuse', 'fold']),
    default: 'refuse',
    doc: "What becomes of an event whose series is one too many: refuse (429) or fold (it goes into its metric's series with the one label overflow=true).",
  }),

  'pulse.width': setting({
    kind: duration({ min: SECOND, max: 50 * MINUTE }),
    default: MINUTE,
    doc: 'How long an event stays visible to an instant query, in timed scrapes in protobuf. Must be shorter than event.ageMax.',
  }),

  'scrape.timestamps': setting({
    kind: oneOf(['scrape', 'explicit']),
    default: 'scrape',
    env: [{ name: 'USE_EXPLICIT_TIMESTAMPS', parse: explicitTimestamps }],
    doc: "The time of a sample: scrape (Prometheus gives it the scrape's time) or explicit (the event's own time).",
  }),
  'scrape.collapse': setting({
    kind: oneOf(['last', 'sum', 'count', 'spread']),
    default: 'last',
    doc: 'What a scrape without timestamps shows of several events of one series: the last value, the sum of values, the count of events, or one event after the other, spread over the next scrapes.',
  }),
  'scrape.eventsMax': setting({
    kind: integer(1, 1_000_000),
    default: 10_000,
    doc: 'How many events one scrape carries at most. The rest comes with the next scrapes.',
  }),
  'scrape.bytesMax': setting({
    kind: size({ min: KIB, max: BODY_MAX }),
    default: 8 * MIB,
    doc: 'How many bytes of events one scrape carries at most, before compression. The rest comes with the next scrapes.',
  }),
  'scrape.lease': setting({
    kind: duration({ min: 1, max: TIMER_MAX }),
    default: 6 * MINUTE,
    doc: 'How long to wait for evidence that a scrape arrived before it is settled without. Must be shorter than scrapers.timeout.',
  }),

  'scrapers.timeout': setting({
    kind: duration({ min: 1, max: TIMER_MAX }),
    default: 10 * MINUTE,
    doc: 'A scraper known by its address alone is forgotten when unseen for this long.',
  }),
  'scrapers.namedTimeout': setting({
    kind: duration({ min: 1, max: 365 * DAY }),
    default: 7 * DAY,
    doc: 'A scraper with an id of its own is forgotten when unseen for this long.',
  }),
  'scrapers.max': setting({
    kind: integer(1, 100_000),
    default: 100,
    doc: 'How many scrapers may be known at once. One more gets 503.',
  }),
  'scrapers.backlogMax': setting({
    kind: integer(1, 1_000_000_000),
    default: 100_000,
    doc: 'How many entries may wait for one scraper. Beyond it the oldest are dropped for that scraper, and counted.',
  }),
  'scrapers.known': setting({
    kind: list(),
    default: [],
    doc: 'Ids of scrapers that are known before their first scrape, so that events wait for them.',
  }),
  'scrapers.byUser': setting({
    kind: boolean(),
    default: false,
    doc: "Whether a scraper's place is bound to the user, or the token, that it scrapes with: nobody can then read another's events away.",
  }),
  'scrapers.lookback': setting({
    kind: duration({ min: 0, max: TIMER_MAX }),
    default: 5 * MINUTE,
    doc: 'A new scraper with an id of its own, or the first scraper of all, also gets the events of this long before its first scrape; 0 for none. Must be shorter than scrapers.timeout.',
  }),

  'counters.labels': setting({
    kind: list(LABEL_NAME),
    default: ['type'],
    doc: "Labels of events that the cumulative counter events_to_metrics_events_total has, beside the events' metric.",
  }),
  'counters.seriesMax': setting({
    kind: integer(1, 100_000),
    default: 1000,
    doc: 'How many series that counter may have. Events beyond are counted in one more, whose labels all say other.',
  }),

  webhooks: setting({
    kind: jsonObject(),
    default: {},
    doc: 'Webhooks by name, each of which listens at /webhook/<name>: how their bodies become events, and their secrets. See docs/ingest/webhooks.md.',
  }),

  'retention.min': setting({
    kind: duration({ min: 0, max: 365 * DAY }),
    default: HOUR,
    doc: 'Events are kept at least this long, even when every scraper has them.',
  }),

  'tail.bytesMax': setting({
    kind: size({ min: 64 * KIB, max: 16 * GIB }),
    default: 32 * MIB,
    doc: 'Memory for the newest rendered entries, shared by all scrapers, in bytes. Older ones are read from the store.',
  }),
} as const satisfies Table;

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
