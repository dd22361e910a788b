import { METRIC_NAME } from '../core/labels.ts';
import { HASHED_UNITS_MAX } from '../core/textMap.ts';
import { namedObjects } from './json.ts';
import type { TextRule } from './valueTypes.ts';
import { integer, list, oneOf, text } from './valueTypes.ts';
import { BODY_MAX, DAY, GIB, HOUR, KIB, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';
import type { Table } from './setting.ts';
import { setting } from './setting.ts';

/** Source: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const METRIC: TextRule = {
  pattern: METRIC_NAME,
  rule: 'a metric name ([a-zA-Z_:][a-zA-Z0-9_:]*)',
  remedy: "use only letters, digits, _ and :, and don't begin with a digit",
};

/** Names that no event's label has, and that would break a scrape: `__name__` by naming something else, NUL in any text format. */
const LABEL_NAME: TextRule = {
  pattern: /^(?!__)[^\0]+$/,
  rule: "a label name that doesn't begin with __",
  remedy: 'list labels of your events; each metric has its own counters anyway',
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
    type: text(METRIC),
    default: 'events_to_metrics',
    doc: "The metric name of events that don't set one.",
  }),
  'event.bodyMax': setting({
    type: size({ min: 1, max: BODY_MAX }),
    default: MIB,
    doc: 'Maximum size of a request body, in bytes.',
  }),
  'event.urlMax': setting({
    type: size({ min: 256, max: MIB }),
    default: 64 * KIB,
    doc: 'Maximum length of a request URL, in bytes.',
  }),
  'event.labelsMax': setting({
    type: integer(1, 10_000),
    default: 20,
    doc: 'Maximum number of labels of an event. The default leaves room for the labels that targets add, within the limits of common receivers (docs/operate/receivers.md).',
  }),
  'event.labelNameMax': setting({
    type: size({ min: 1, max: 64 * KIB }),
    default: 256,
    doc: 'Maximum length of a label or metric name, in bytes of UTF-8.',
  }),
  'event.labelValueMax': setting({
    type: size({ min: 1, max: MIB }),
    default: 1_023,
    doc: 'Maximum length of a label value, in bytes of UTF-8. Azure accepts up to 1,023, Mimir up to 2,048 (docs/operate/receivers.md).',
  }),
  'event.seriesMax': setting({
    type: size({ min: 256, max: SERIES_MAX }),
    default: 8 * KIB,
    doc: "Maximum length of an event's series, in bytes of UTF-8: its metric name, label names and values together, escaped as in a scrape.",
  }),
  'event.idMax': setting({
    type: size({ min: 16, max: 4 * KIB }),
    default: 256,
    doc: 'Maximum length of the id of an event or a request, in bytes of UTF-8.',
  }),
  'event.names': setting({
    type: oneOf(['legacy', 'utf8']),
    default: 'legacy',
    doc: 'Which metric and label names are accepted: legacy (letters, digits and _) or utf8 (any text, as in Prometheus 3).',
  }),
  'event.ageMax': setting({
    type: duration({ min: SECOND, max: 55 * MINUTE }),
    default: 50 * MINUTE,
    doc: "Maximum age of an event's timestamp, both when the event arrives and when a timed scrape first offers it. Older ones are moved up to this limit, and counted. Prometheus drops samples older than an hour.",
  }),
  'event.aheadMax': setting({
    type: duration({ min: 0, max: 9 * MINUTE }),
    default: 5 * MINUTE,
    doc: "How far in the future an event's timestamp may be. Later ones are moved back to this limit, and counted. Prometheus drops samples more than 10 minutes ahead.",
  }),

  'batch.eventsMax': setting({
    type: integer(1, 10_000_000),
    default: 100_000,
    doc: 'Maximum number of events in one request.',
  }),
  'batch.bytesMax': setting({
    type: size({ min: KIB, max: 16 * GIB }),
    default: 64 * MIB,
    doc: 'Maximum size of an NDJSON body, in bytes. It is read line by line; event.bodyMax limits each line.',
  }),

  'cloudevents.data': setting({
    type: list(),
    default: [],
    doc: "Fields of a CloudEvent's data that become labels: label=/json/pointer, separated by commas. The label value sets the event's value.",
  }),

  'ids.window': setting({
    type: duration({ min: MINUTE, max: 365 * DAY }),
    default: DAY,
    doc: 'How long an id is remembered. An event sent again with the same id in this time is stored only once.',
  }),
  'ids.max': setting({
    type: integer(1, 100_000_000),
    default: 1_000_000,
    doc: 'Maximum number of ids to remember. When there are more, the oldest are forgotten early, and counted. Each takes about 85 bytes of disk, on top of store.bytesMax, and 16 bytes of memory.',
  }),

  'wait.postsMax': setting({
    type: integer(0, 100_000),
    default: 1_000,
    doc: 'Maximum number of posts that wait for delivery (wait=delivered) at the same time. At most a quarter of server.connectionsMax; one client address can have half of them. One more is stored, and answered at once with 202.',
  }),
  'wait.timeoutMax': setting({
    type: duration({ min: SECOND, max: HOUR }),
    default: 10 * MINUTE,
    doc: 'Maximum time that a post can wait for delivery.',
  }),

  'labels.drop': setting({
    type: list(LABEL_NAME),
    default: [],
    doc: 'Labels to remove from every event.',
  }),
  'labels.keep': setting({
    type: list(LABEL_NAME),
    default: [],
    doc: 'The only labels to keep. Empty keeps all.',
  }),
  'labels.valueTruncate': setting({
    type: size({ min: 0, max: MIB }),
    default: 0,
    doc: 'Cuts longer label values to this many bytes of UTF-8, between characters, and counts them. 0 cuts nothing: values longer than event.labelValueMax are refused.',
  }),

  'series.perHourMax': setting({
    type: integer(0, 10_000_000),
    default: 0,
    doc: "Maximum number of new series in each hour of the clock. A series that had an event in this hour or the last one isn't new. 0 means no limit.",
  }),
  'series.overflow': setting({
    type: oneOf(['refuse', 'fold']),
    default: 'refuse',
    doc: 'What happens to an event whose series is over the limit: refuse (429), or fold (it goes to a series of its metric with overflow=true as the only label).',
  }),

  'counters.labels': setting({
    type: list(LABEL_NAME),
    default: ['type'],
    doc: 'Event labels that the counter events_to_metrics_events_total has, besides the metric name.',
  }),
  'counters.seriesMax': setting({
    type: integer(1, 100_000),
    default: 1000,
    doc: 'Maximum number of series of that counter. All further events are counted in one more series, whose labels all have the value other.',
  }),
  'counters.bytesMax': setting({
    type: size({ min: KIB, max: GIB }),
    default: MIB,
    doc: "Maximum size of that counter's series in each scrape, in bytes. Series over it are counted like those over counters.seriesMax.",
  }),

  'webhook.bodyMax': setting({
    type: size({ min: 1, max: BODY_MAX }),
    default: 25 * MIB,
    doc: "Maximum size of a webhook's body, in bytes. GitHub sends up to 25 MiB.",
  }),
  webhooks: setting({
    type: namedObjects(WEBHOOK_MEMBERS),
    default: {},
    doc: 'Webhooks by name: how their bodies become events, and their secrets. Each listens at /webhook/<name>. See docs/ingest/webhooks.md.',
  }),
} as const satisfies Table;
