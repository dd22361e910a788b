import { RefusedError, shown } from '../core/errors.ts';
import { rangeFrom, size } from '../core/range.ts';
import type { Found, Receipts } from '../delivery/receipts.ts';
import { idIn } from '../intake/id.ts';
import { rememberedRequest } from '../intake/ingest.ts';
import { cloudEventSpace } from '../read/cloudEvents.ts';
import { sendAnswer } from './answers.ts';
import type { ClientTurns } from './clientTurns.ts';
import type { Handler } from './endpoint.ts';
import { EVENT_JSON, eventJson } from './eventJson.ts';
import { FATE_SCHEMA, fateJson } from './fateJson.ts';
import type { Operation } from './operation.ts';
import { json, refusal } from './operation.ts';
import { parametersOf } from './query.ts';

const OFFSET = { type: 'integer', minimum: 1 } as const;
const SOURCE = 'source';

const RECEIPT = {
  type: 'object',
  required: ['id', 'scrapers'],
  properties: {
    id: { type: 'string' },
    event: EVENT_JSON,
    entries: {
      type: 'object',
      description:
        'In place of `event`, if the id is that of a request with several events: which entries of the log it stored, perhaps with ends of pulses among them',
      required: ['first', 'last', 'count'],
      properties: { first: OFFSET, last: OFFSET, count: OFFSET },
    },
    scrapers: { type: 'array', items: FATE_SCHEMA },
  },
} as const;

export const GET_RECEIPT: Operation = {
  id: 'getReceipt',
  tag: 'events',
  summary: 'Get a receipt: where an event is, and what each scraper has of it',
  description:
    "The event, and what each scraper has of it. The id is the one you posted it with, or the `eventId` of the answer. This consumes nothing, and you don't become a scraper.",
  parameters: [
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'The id of an event, the `Idempotency-Key` of a request, or an `eventId`; percent-encoded',
      schema: { type: 'string' },
    },
    {
      name: SOURCE,
      in: 'query',
      description: 'For the id of a CloudEvent: its source',
      schema: { type: 'string' },
    },
  ],
  responses: {
    200: json('Where the event is', RECEIPT),
    404: refusal(
      "There is no such event, or it is no longer in the log, or its id was forgotten; if the server can't tell these apart, it says so",
    ),
  },
};

export interface ReceiptRouteParts {
  readonly receipts: Receipts;
  readonly looks: ClientTurns;
}

/** Where the event is whose id is in the path. */
export function getReceipt({ receipts, looks }: ReceiptRouteParts): Handler {
  return async (exchange) => {
    const { id, request } = exchange;
    const parameters = parametersOf(request);
    const unknown = [...parameters.keys()].find((name) => name !== SOURCE);
    if (unknown !== undefined)
      throw new RefusedError(unknown, `unknown parameter ${shown(unknown)}; use ${SOURCE}`);
    const source = parameters.get(SOURCE);
    const names = source === undefined ? [id, rememberedRequest(id)] : [idIn(cloudEventSpace(source), id)];
    await looks.take(exchange.client, async () => {
      const found = await receipts.find(id, names);
      if (found.kind === 'event' || found.kind === 'several')
        exchange.header('Cache-Control', 'no-store').json({ id, ...(await receiptOf(found, receipts)) });
      else sendAnswer(exchange, { status: 404, error: notFound(found.kind, id), field: 'id' });
    });
  };
}

async function receiptOf(
  found: Extract<Found, { kind: 'event' | 'several' }>,
  receipts: Receipts,
): Promise<object> {
  const ranges = found.kind === 'event' ? rangeFrom(found.entry.offset, 1) : found.ranges;
  const fates = receipts.fates(ranges, await receipts.notSelected(ranges));
  const scrapers = fates.map((fate) => fateJson(fate, found.kind === 'several'));
  if (found.kind === 'event') return { event: eventJson(found.entry), scrapers };
  const [first] = ranges;
  const entries = { first: (first?.after ?? 0) + 1, last: ranges.at(-1)?.upTo, count: size(ranges) };
  return { entries, scrapers };
}

function notFound(why: 'gone' | 'noPlace' | 'none', id: string): string {
  switch (why) {
    case 'gone':
      return `the event with the id ${shown(id)} was accepted, but is no longer in the log: it was removed once retention.min was over, or by a limit, or it is damaged`;
    case 'noPlace':
      return `the id ${shown(id)} is known, but not which event it belongs to: an older version stored it, or the file was damaged`;
    case 'none':
      return `no event with the id ${shown(id)}: it was never accepted, or it is no longer in the log (see retention.min), or its id was forgotten (see ids.window and ids.max); the server can't tell which`;
    default:
      return why satisfies never;
  }
}
