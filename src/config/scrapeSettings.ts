import { NOT_EMPTY, boolean, integer, list, oneOf, refused, text } from './kinds.ts';
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
  throw refused('true or false', raw, 'write USE_EXPLICIT_TIMESTAMPS=true for explicit, false for scrape');
}

/** Settings of what is given out, to whom, and for how long it is kept. */
export const SCRAPE_SETTINGS = {
  'pulse.width': setting({
    kind: duration({ min: SECOND, max: 50 * MINUTE }),
    default: MINUTE,
    doc: 'How long an event stays visible to an instant query, in timed scrapes in protobuf. Must be shorter than event.ageMax.',
  }),

  'scrape.timestamps': setting({
    kind: oneOf(['scrape', 'explicit', 'auto']),
    default: 'scrape',
    env: [{ name: 'USE_EXPLICIT_TIMESTAMPS', parse: explicitTimestamps }],
    doc: "The time of a sample where a scraper doesn't say: scrape (Prometheus gives it the scrape's time), explicit (the event's own time) or auto (the event's own time in protobuf, which can end a series; the scrape's otherwise).",
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
  'scrapers.identity': setting({
    kind: oneOf(['address', 'kubernetes']),
    default: 'address',
    doc: 'What a scraper without an id of its own goes by: address, or kubernetes (the namespace and name of its pod, where a StatefulSet gives it, so that it keeps its place over a restart; its address else).',
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

  'kubernetes.url': setting({
    kind: text(NOT_EMPTY),
    default: 'https://kubernetes.default.svc',
    doc: 'The Kubernetes API server that scrapers.identity=kubernetes asks.',
  }),
  'kubernetes.namespace': setting({
    kind: text(),
    default: '',
    doc: 'The namespace whose pods may scrape; empty for all. The service account needs get, list and watch on the pods in it.',
  }),
  'kubernetes.tokenFile': setting({
    kind: text(),
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    doc: "The file with the service account's token, read for each request. Empty sends none.",
  }),
  'kubernetes.caFile': setting({
    kind: text(),
    default: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    doc: "The file with the certificates of who signed the API server's. Empty takes the system's.",
  }),

  'retention.min': setting({
    kind: duration({ min: 0, max: 365 * DAY }),
    default: HOUR,
    doc: 'Events are kept at least this long, even when every scraper has them.',
  }),

  'tail.bytesMax': setting({
    kind: size({ min: 64 * KIB, max: 16 * GIB }),
    default: 32 * MIB,
    doc: 'Memory for the newest entries, shared by all scrapers, in bytes; at most their share of memory.max. Older ones are read from the store.',
  }),
} as const satisfies Table;
