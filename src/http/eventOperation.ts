import { FORM_TYPE, NDJSON_TYPES } from './eventFormat.ts';
import { FATE_SCHEMA } from './fateJson.ts';
import type { Operation } from './operation.ts';
import { empty, json, refusal } from './operation.ts';

const SCALAR = { type: ['string', 'number'] } as const;

const EVENT = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', description: 'The metric name. Default: the setting event.metric' },
    labels: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    value: { ...SCALAR, description: 'A float64, or "NaN", "+Inf", "-Inf". Default: 1' },
    timestamp: { ...SCALAR, description: 'RFC 3339, or Unix seconds or milliseconds' },
    id: { ...SCALAR, description: 'An event with an id that was already stored is not stored again' },
  },
} as const;

const CLOUD_EVENT = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type'],
  additionalProperties: true,
  properties: {
    specversion: { type: 'string', const: '1.0' },
    id: { type: 'string' },
    source: { type: 'string' },
    type: { type: 'string' },
    subject: { type: 'string' },
    time: { type: 'string', format: 'date-time' },
    data: {},
  },
} as const;

const COUNT = { type: 'integer', minimum: 0 } as const;

const EVENT_ID = { type: 'string' } as const;

/** What is told of events that were waited for, beside the rest. */
const WAITED = {
  delivered: { type: 'boolean', description: 'With wait: whether each of the scrapers has the events' },
  ended: {
    type: 'string',
    enum: ['settled', 'timeout', 'stopping', 'full', 'gone', 'unknown'],
    description:
      'With wait: why it ended before that. After `settled` and `unknown`, waiting again changes nothing',
  },
  message: { type: 'string', description: 'The same in words' },
  scrapers: {
    type: 'array',
    items: FATE_SCHEMA,
    description: 'With wait: what each scraper has of the events',
  },
} as const;

const STORED = {
  type: 'object',
  properties: {
    accepted: { ...COUNT, description: 'Events that this request stored' },
    eventId: {
      ...EVENT_ID,
      description: 'What stands for an event without an id, for GET /api/v1/events/{id}',
    },
    eventIds: {
      type: 'array',
      items: { type: ['string', 'null'] },
      description:
        'The same of a batch of at most 1,000 events, in order; null for an event with an id of its own, or not stored',
    },
    duplicate: { type: 'boolean', const: true, description: 'The event was already stored' },
    duplicates: { ...COUNT, description: 'Events of a batch that were already stored' },
    ...WAITED,
    refused: { ...COUNT, description: 'Events that were refused, with partial=true' },
    items: {
      description: 'With partial=true: the result for each event, in order',
      type: 'array',
      items: {
        type: 'object',
        required: ['status'],
        properties: {
          status: { enum: ['accepted', 'duplicate', 'refused'] },
          eventId: EVENT_ID,
          error: { type: 'string' },
          field: { type: 'string' },
        },
      },
    },
  },
} as const;

const WAITED_FOR = {
  type: 'object',
  required: ['delivered', 'ended', 'message', 'scrapers'],
  properties: WAITED,
} as const;

/** What of `POST /event` stands in the API's description. */
export const POST_EVENTS: Operation = {
  id: 'postEvents',
  tag: 'events',
  summary:
    'Post events: a form, JSON, NDJSON or CloudEvents; with `?wait=delivered`, wait until each scraper has them',
  description:
    "With a form, or without a body, you post one event, and each parameter is a label, except four: `value` is the sample's value (a float64, " +
    'default 1), `__name__` the metric name, `__timestamp__` the time of the event (RFC 3339, or Unix seconds or milliseconds), and ' +
    '`__id__` its id. With any other body, the parameters of the URL apply to all its events. Either all events of a body are stored or ' +
    'none, unless the URL has `partial=true`.',
  parameters: [
    {
      name: 'wait',
      in: 'query',
      description: 'Answer once the events are delivered. In the URL only; in a form it is a label',
      schema: { type: 'string', enum: ['delivered'] },
    },
    {
      name: 'timeout',
      in: 'query',
      description: 'With `wait`: how long to wait, such as `60s` (the default). Without `wait` it is a label',
      schema: { type: 'string' },
    },
    {
      name: 'to',
      in: 'query',
      description:
        'With `wait`: the scrapers to wait for, separated by commas, known or not. Default: all that have an id of their own. Without `wait` it is a label',
      schema: { type: 'string' },
    },
    {
      name: 'partial',
      in: 'query',
      description: 'For a body other than a form: handle each event separately',
      schema: { type: 'boolean' },
    },
    {
      name: 'Idempotency-Key',
      in: 'header',
      description:
        'An id for the request. If you send the request again with the same id, it is not stored again',
      schema: { type: 'string' },
    },
    {
      name: 'Prefer',
      in: 'header',
      description: '`wait=60`: wait up to so many seconds for delivery, as with `wait=delivered`',
      schema: { type: 'string' },
    },
  ],
  requestBody: {
    [FORM_TYPE]: { type: 'object', additionalProperties: { type: 'string' } },
    'application/json': { oneOf: [EVENT, { type: 'array', items: EVENT }] },
    ...Object.fromEntries(
      NDJSON_TYPES.map((type) => [type, { type: 'string', description: 'One event per line' }]),
    ),
    'application/cloudevents+json': CLOUD_EVENT,
    'application/cloudevents-batch+json': { type: 'array', items: CLOUD_EVENT },
  },
  responses: {
    200: json('The accepted events are stored', STORED),
    202: json(
      'With wait: the events are stored, but not delivered to every scraper that you wait for',
      WAITED_FOR,
    ),
    204: empty('The CloudEvents are stored, or were already. There is no body, as brokers expect'),
    400: refusal('The request is invalid; error says why'),
    413: refusal('The body is too large, or has too many events'),
    414: refusal('The URL is too long'),
    415: refusal('Unsupported Content-Type'),
    429: refusal('More new series than series.perHourMax in this hour; see Retry-After'),
    503: refusal('The disk is full, or the server is starting or stopping; see Retry-After'),
  },
};
