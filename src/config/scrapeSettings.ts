import { namedObjects } from './json.ts';
import { NOT_EMPTY, boolean, integer, list, oneOf, refused, text } from './valueTypes.ts';
import { BODY_MAX, DAY, GIB, HOUR, KIB, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

/** The longest span that one of Node's timers can hold is 2^31 - 1 ms, 24.8 days; a longer one would fire at once. */
const TIMER_MAX = 24 * DAY;

/** The Go server's switch between the two kinds of timestamps. */
function explicitTimestamps(raw: string): 'scrape' | 'explicit' {
  const word = raw.toLowerCase();
  if (word === 'true') return 'explicit';
  if (word === 'false' || word === '') return 'scrape';
  throw refused('true or false', raw, 'set USE_EXPLICIT_TIMESTAMPS=true for explicit, false for scrape');
}

/** What is shown of a sink by --print-config: neither headers nor credentials. */
const SINK_MEMBERS: ReadonlySet<string> = new Set(
  'url protocol bearerTokenFile tls timeout labels ageMax eventsMax select ownMetrics'.split(' '),
);

/** Settings of what is given out, to whom, and for how long it is kept. */
export const SCRAPE_SETTINGS = {
  'pulse.width': setting({
    type: duration({ min: SECOND, max: 50 * MINUTE }),
    default: MINUTE,
    doc: 'How long an event stays visible to instant queries, in timed scrapes in protobuf. Must be shorter than event.ageMax.',
  }),

  'scrape.timestamps': setting({
    type: oneOf(['scrape', 'explicit', 'auto']),
    default: 'scrape',
    env: [{ name: 'USE_EXPLICIT_TIMESTAMPS', parse: explicitTimestamps }],
    doc: "Timestamps of samples, if the scraper doesn't ask for any: scrape (none; Prometheus uses the time of the scrape), explicit (the event's own time) or auto (explicit in protobuf, which can end a series; scrape in other formats).",
  }),
  'scrape.collapse': setting({
    type: oneOf(['last', 'sum', 'count', 'spread']),
    default: 'last',
    doc: 'What a scrape without timestamps shows if a series has several events: last (the last value), sum (of the values), count (of the events) or spread (one event in each scrape).',
  }),
  'scrape.eventsMax': setting({
    type: integer(1, 1_000_000),
    default: 10_000,
    doc: 'Maximum number of events in one scrape. The rest follow in the next scrapes.',
  }),
  'scrape.bytesMax': setting({
    type: size({ min: KIB, max: BODY_MAX }),
    default: 8 * MIB,
    doc: 'Maximum size of the events in one scrape, in bytes before compression. The rest follow in the next scrapes.',
  }),
  'scrape.lease': setting({
    type: duration({ min: 1, max: TIMER_MAX }),
    default: 6 * MINUTE,
    doc: 'How long to wait for evidence that a scrape arrived. After that, it is settled without. Must be shorter than scrapers.timeout.',
  }),

  'scrapers.timeout': setting({
    type: duration({ min: 1, max: TIMER_MAX }),
    default: 10 * MINUTE,
    doc: 'How long until an unseen scraper is forgotten, if it is known only by its address.',
  }),
  'scrapers.namedTimeout': setting({
    type: duration({ min: 1, max: 365 * DAY }),
    default: 7 * DAY,
    doc: 'How long until an unseen scraper is forgotten, if it has its own id.',
  }),
  'scrapers.max': setting({
    type: integer(1, 100_000),
    default: 100,
    doc: 'Maximum number of known scrapers. One more gets 503.',
  }),
  'scrapers.backlogMax': setting({
    type: integer(1, 1_000_000_000),
    default: 100_000,
    doc: 'Maximum number of entries waiting for one scraper. When there are more, the oldest are dropped for that scraper, and counted.',
  }),
  'scrapers.known': setting({
    type: list(),
    default: [],
    doc: 'Ids of scrapers that events wait for even before their first scrape.',
  }),
  'scrapers.identity': setting({
    type: oneOf(['address', 'kubernetes']),
    default: 'address',
    doc: 'How to identify a scraper that sends no id: address, or kubernetes (the namespace and name of its pod if it belongs to a StatefulSet, so that it keeps its position when it restarts; otherwise its address).',
  }),
  'scrapers.byUser': setting({
    type: boolean(),
    default: false,
    doc: 'Whether a scraper belongs to the user or token that it scrapes with, so that nobody can take the events of another.',
  }),
  'scrapers.lookback': setting({
    type: duration({ min: 0, max: TIMER_MAX }),
    default: 5 * MINUTE,
    doc: 'How far back in time a new scraper with its own id, or the very first scraper, also gets events from before its first scrape. 0 means none. Must be shorter than scrapers.timeout.',
  }),

  sinks: setting({
    type: namedObjects(SINK_MEMBERS),
    default: {},
    doc: 'Receivers of remote write by name, which get events pushed: their addresses, protocol, credentials and selectors. See docs/operate/push.md.',
  }),

  'kubernetes.url': setting({
    type: text(NOT_EMPTY),
    default: 'https://kubernetes.default.svc',
    doc: 'URL of the Kubernetes API server, for scrapers.identity=kubernetes.',
  }),
  'kubernetes.namespace': setting({
    type: text(),
    default: '',
    doc: 'Namespace of the pods that scrape; empty means all. The service account needs get, list and watch on pods there.',
  }),
  'kubernetes.tokenFile': setting({
    type: text(),
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    doc: "File with the service account's token, read for each request. Empty sends none.",
  }),
  'kubernetes.caFile': setting({
    type: text(),
    default: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    doc: "File with the CA certificates for the API server. Empty means the system's.",
  }),

  'retention.min': setting({
    type: duration({ min: 0, max: 365 * DAY }),
    default: HOUR,
    doc: 'Minimum time to keep events, even when every scraper has them.',
  }),

  'tail.bytesMax': setting({
    type: size({ min: 64 * KIB, max: 16 * GIB }),
    default: 32 * MIB,
    doc: 'Memory for the newest entries, shared by all scrapers, in bytes; memory.max limits it, too. Older entries are read from the store.',
  }),
} as const satisfies Table;
