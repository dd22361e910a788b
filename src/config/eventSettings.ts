import { HASHED_UNITS_MAX } from '../core/textMap.ts';
import { namedObjects } from './json.ts';
import type { TextRule } from './kinds.ts';
import { integer, list, oneOf, text } from './kinds.ts';
import { BODY_MAX, DAY, GIB, KIB, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

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

/** What is known of a webhook, and shown by --print-config. test/golden/printedWebhooks.test.ts holds that these are all there are. */
const WEBHOOK_MEMBERS: ReadonlySet<string> = new Set(
  'preset only labels drop metric labelsFrom value time id when unless each kinds'.split(' '),
);
/** Texts up to this length, in UTF-16 units, cost the server no more than their bytes: docs/decisions/0039-cost-in-proportion.md */
const SERIES_MAX = HASHED_UNITS_MAX;

/** Settings of what is taken in. */
export const EVENT_SETTINGS = {
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
    default: 20,
    doc: 'How many labels one event may have. With those that targets add, the default fits what receivers take (docs/operate/receivers.md).',
  }),
  'event.labelNameMax': setting({
    kind: size({ min: 1, max: 64 * KIB }),
    default: 256,
    doc: 'The longest label or metric name, in bytes of UTF-8.',
  }),
  'event.labelValueMax': setting({
    kind: size({ min: 1, max: MIB }),
    default: 1_023,
    doc: 'The longest label value, in bytes of UTF-8. Azure takes no longer one, Mimir twice that (docs/operate/receivers.md).',
  }),
  'event.seriesMax': setting({
    kind: size({ min: 256, max: SERIES_MAX }),
    default: 8 * KIB,
    doc: 'The longest series of an event in bytes of UTF-8: its metric name, label names and values together, written and escaped as in a scrape.',
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
  'counters.bytesMax': setting({
    kind: size({ min: KIB, max: GIB }),
    default: MIB,
    doc: 'How many bytes the series of that counter may take in each scrape. Events of further series are counted as beyond counters.seriesMax.',
  }),

  'webhook.bodyMax': setting({
    kind: size({ min: 1, max: BODY_MAX }),
    default: 25 * MIB,
    doc: "The longest body of a webhook, in bytes. GitHub's are up to 25 MiB.",
  }),
  webhooks: setting({
    kind: namedObjects(WEBHOOK_MEMBERS),
    default: {},
    doc: 'Webhooks by name, each of which listens at /webhook/<name>: how their bodies become events, and their secrets. See docs/ingest/webhooks.md.',
  }),
} as const satisfies Table;
