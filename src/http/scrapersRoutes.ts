import { shown } from '../core/errors.ts';
import type { ScraperOverview, SinkStatus } from '../delivery/overview.ts';
import { sendAnswer } from './answers.ts';
import type { Handler } from './endpoint.ts';
import { namedId } from './identify.ts';
import type { Operation } from './operation.ts';
import { empty, json, refusal } from './operation.ts';

const TIME = { type: 'string', format: 'date-time' } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;

/** Of one that is called. */
const SINK = {
  type: 'object',
  description: 'How it is doing, if it is a sink: a receiver that events are pushed to',
  required: ['url', 'protocol', 'refused', 'refusals'],
  properties: {
    url: { type: 'string' },
    protocol: { type: 'string', description: 'Version of remote write that it is sent' },
    lastSuccess: { ...TIME, description: 'When it last stored something' },
    failing: {
      type: 'object',
      description: 'Since when, and why, it takes nothing',
      required: ['since', 'why'],
      properties: { since: TIME, why: { type: 'string' } },
    },
    ownMetricsFailing: {
      type: 'string',
      description: "Why the server's own metrics, if they are pushed, weren't stored the last time",
    },
    refused: { ...COUNT, description: 'Events that it refused and that were dropped, since the start' },
    refusals: {
      type: 'array',
      description: 'The latest of these',
      items: {
        type: 'object',
        required: ['series', 'at', 'why'],
        properties: { series: { type: 'string' }, at: TIME, why: { type: 'string' } },
      },
    },
  },
} as const;

const SCRAPER = {
  type: 'object',
  required: [
    'id',
    'identifiedBy',
    'address',
    'firstSeen',
    'lastSeen',
    'confirmedOffset',
    'pending',
    'inFlight',
    'returned',
    'warnings',
  ],
  properties: {
    id: { type: 'string' },
    identifiedBy: { type: 'string', enum: ['header', 'parameter', 'user', 'pod', 'address', 'sink'] },
    address: { type: 'string', description: 'Address of its latest request, without the port' },
    firstSeen: TIME,
    lastSeen: TIME,
    intervalSeconds: { type: 'number', description: 'Median time between its latest scrapes' },
    mode: { type: 'string', enum: ['timed', 'untimed'] },
    format: { type: 'string' },
    confirmedOffset: { ...COUNT, description: 'Everything in the log up to here is confirmed or dropped' },
    pending: { ...COUNT, description: 'Entries that are not confirmed yet' },
    inFlight: { ...COUNT, description: 'Of these, entries in responses that are not settled yet' },
    returned: { ...COUNT, description: 'Of these, entries that came back from broken responses' },
    sink: SINK,
    warnings: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
} as const;

export const LIST_SCRAPERS: Operation = {
  id: 'listScrapers',
  tag: 'scrapers',
  summary: 'List the known scrapers, and how far each one is',
  responses: {
    200: json('The scrapers', {
      type: 'object',
      required: ['scrapers'],
      properties: { scrapers: { type: 'array', items: SCRAPER } },
    }),
  },
};

export const FORGET_SCRAPER: Operation = {
  id: 'forgetScraper',
  tag: 'scrapers',
  summary: 'Forget a scraper and the events waiting for it',
  parameters: [
    { name: 'id', in: 'path', required: true, schema: { type: 'string', minLength: 1, maxLength: 128 } },
  ],
  responses: {
    204: empty('Forgotten'),
    404: refusal('There is no scraper with that id'),
  },
};

/** Who scrapes, and how far each one is. */
export function listScrapers(list: () => readonly ScraperOverview[]): Handler {
  return (exchange) => exchange.header('Cache-Control', 'no-store').json({ scrapers: list().map(toJson) });
}

/** Forgets the scraper of the id in the path. `forget` resolves with false where there is none. */
export function forgetScraper(forget: (id: string) => Promise<boolean>): Handler {
  return async (exchange) => {
    const id = namedId('id', exchange.id);
    if (await forget(id)) {
      exchange.status(204).send();
      return;
    }
    sendAnswer(exchange, {
      status: 404,
      error: `no scraper has the id ${shown(id)}; see /api/v1/scrapers`,
      field: 'id',
    });
  };
}

function toJson(scraper: ScraperOverview) {
  const { id, identifiedBy, address, firstSeen, lastSeen, intervalMs, confirmed, sink, ...rest } = scraper;
  return {
    id,
    identifiedBy,
    address,
    firstSeen: new Date(firstSeen).toISOString(),
    lastSeen: new Date(lastSeen).toISOString(),
    ...(intervalMs !== undefined && { intervalSeconds: intervalMs / 1000 }),
    confirmedOffset: confirmed,
    ...rest,
    ...(sink !== undefined && { sink: sinkToJson(sink) }),
  };
}

function sinkToJson({ lastSuccess, failing, refusals, ...rest }: SinkStatus) {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    ...rest,
    ...(lastSuccess !== undefined && { lastSuccess: time(lastSuccess) }),
    ...(failing !== undefined && { failing: { ...failing, since: time(failing.since) } }),
    refusals: refusals.map((each) => ({ ...each, at: time(each.at) })),
  };
}
