import { FORM_TYPE, NDJSON_TYPES } from './eventFormat.ts';
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

const STORED = {
  type: 'object',
  properties: {
    accepted: { ...COUNT, description: 'Events that this request stored' },
    duplicate: { type: 'boolean', const: true, description: 'The event was already stored' },
    duplicates: { ...COUNT, description: 'Events of a batch that were already stored' },
    refused: { ...COUNT, description: 'Events that were refused, with partial=true' },
    items: {
      description: 'With partial=true: the result for each event, in order',
      type: 'array',
      items: {
        type: 'object',
        required: ['status'],
        properties: {
          status: { enum: ['accepted', 'duplicate', 'refused'] },
          error: { type: 'string' },
          field: { type: 'string' },
        },
      },
    },
  },
} as const;

/** What of `POST /event` stands in the API's description. */
export const POST_EVENTS: Operation = {
  id: 'postEvents',
  tag: 'events',
  summary: 'Post events: a form, JSON, NDJSON or CloudEvents',
  description:
    "With a form, or without a body, you post one event, and each parameter is a label, except four: `value` is the sample's value (a float64, " +
    'default 1), `__name__` the metric name, `__timestamp__` the time of the event (RFC 3339, or Unix seconds or milliseconds), and ' +
    '`__id__` its id. With any other body, the parameters of the URL apply to all its events. Either all events of a body are stored or ' +
    'none, unless the URL has `partial=true`.',
  parameters: [
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
    204: empty('The CloudEvents are stored, or were already. There is no body, as brokers expect'),
    400: refusal('The request is invalid; error says why'),
    413: refusal('The body is too large, or has too many events'),
    414: refusal('The URL is too long'),
    415: refusal('Unsupported Content-Type'),
    429: refusal('More new series than series.perHourMax in this hour; see Retry-After'),
    503: refusal('The disk is full, or the server is starting or stopping; see Retry-After'),
  },
};
