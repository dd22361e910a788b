import { FORM_TYPE, NDJSON_TYPES } from './eventFormat.ts';
import { ERROR } from './openapi.ts';

const SCALAR = { type: ['string', 'number'] } as const;

const EVENT = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', description: "the metric's name; the default is the setting event.metric" },
    labels: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    value: { ...SCALAR, description: 'a float64, or "NaN", "+Inf", "-Inf"; the default is 1' },
    timestamp: { ...SCALAR, description: 'RFC 3339, or Unix seconds or milliseconds' },
    id: { ...SCALAR, description: 'an event of an id that is known is not stored again' },
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

/** What of `POST /event` stands in the API's description. */
export const EVENT_SCHEMA = {
  tags: ['events'],
  summary: 'Take events',
  description:
    "A form, or no body: one event, of which each parameter is a label. Four are not: `value` is the sample's value (a float64, " +
    "default 1), `__name__` the metric's name, `__timestamp__` the time of the event (RFC 3339, or Unix seconds or milliseconds), " +
    '`__id__` its id. With any other body the parameters of the URL are common to all of its events. A body is stored as a whole or ' +
    'not at all, unless the URL says `partial=true`.',
  headers: {
    type: 'object',
    properties: {
      'idempotency-key': {
        type: 'string',
        description: 'an id of the request; sent again, it is not stored again',
      },
    },
  },
  querystring: {
    type: 'object',
    additionalProperties: { type: 'string' },
    properties: {
      partial: {
        type: 'boolean',
        description: 'with a body that is no form: answer for each event by itself',
      },
    },
  },
  body: {
    content: {
      [FORM_TYPE]: { schema: { type: 'object', additionalProperties: { type: 'string' } } },
      'application/json': { schema: { oneOf: [EVENT, { type: 'array', items: EVENT }] } },
      ...Object.fromEntries(
        NDJSON_TYPES.map((type) => [
          type,
          { schema: { type: 'string', description: 'an event on each line' } },
        ]),
      ),
      'application/cloudevents+json': { schema: CLOUD_EVENT },
      'application/cloudevents-batch+json': { schema: { type: 'array', items: CLOUD_EVENT } },
    },
  },
  response: {
    200: {
      description: 'what is accepted is stored',
      type: 'object',
      properties: {
        accepted: { ...COUNT, description: 'events that are stored by this request' },
        duplicate: { type: 'boolean', const: true, description: 'the one event had been stored before' },
        duplicates: { ...COUNT, description: 'events of a batch that had been stored before' },
        refused: { ...COUNT, description: 'with partial=true' },
        items: {
          description: 'with partial=true: what became of each event, in their order',
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
    },
    204: {
      description: 'CloudEvents are stored, or had been before; without a body, as brokers want it',
      type: 'null',
    },
    400: { ...ERROR, description: 'it breaks a rule' },
    413: { ...ERROR, description: 'the body is too large, or holds too many events' },
    414: { ...ERROR, description: 'the URL is too long' },
    415: { ...ERROR, description: 'the body is of a type that is not taken' },
    429: { ...ERROR, description: 'more new series than series.perHourMax have appeared; see Retry-After' },
    503: {
      ...ERROR,
      description: 'there is no room on the disk, or the server starts or stops; see Retry-After',
    },
  },
};
