import { RefusedError, shown } from '../core/errors.ts';
import { offset } from '../core/offset.ts';
import type { Feed, FeedPage } from '../delivery/feed.ts';
import type { Parameters } from './identify.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { ClientTurns } from './clientTurns.ts';
import type { Handler } from './endpoint.ts';
import { EVENT_JSON, eventJson } from './eventJson.ts';
import type { LoopTurns } from './loopTurns.ts';
import type { Operation } from './operation.ts';
import { json, refusal } from './operation.ts';
import { parametersOf } from './query.ts';
import type { Parts } from './sendParts.ts';
import { holdParts, sendParts } from './sendParts.ts';

const LIMIT = 100;
const LIMIT_MAX = 1_000;

const OFFSET = { type: 'integer', minimum: 0 } as const;

const PAGE = {
  type: 'object',
  required: ['events', 'next', 'end', 'gone'],
  properties: {
    events: { type: 'array', items: EVENT_JSON },
    next: { ...OFFSET, description: 'The `after` of your next request' },
    end: {
      ...OFFSET,
      description: 'Where the log ends; if this is greater than `next`, there are more events now',
    },
    gone: { ...OFFSET, description: 'How many entries after `after` are no longer in the log' },
  },
} as const;

export const LIST_EVENTS: Operation = {
  id: 'listEvents',
  tag: 'events',
  summary: 'List the events in the log, without taking any',
  description:
    "This consumes nothing, and you don't become a scraper. To follow the events, ask again with `after` set to the `next` of the last answer. A page has " +
    'at most `limit` entries of the log. It may show fewer events, because ends of pulses are entries too, and are not shown.',
  parameters: [
    {
      name: 'after',
      in: 'query',
      description: 'Only events after this place. Default: the newest events',
      schema: OFFSET,
    },
    {
      name: 'limit',
      in: 'query',
      description: 'How many entries of the log a page may have',
      schema: { type: 'integer', minimum: 1, maximum: LIMIT_MAX, default: LIMIT },
    },
  ],
  responses: {
    200: json('The events, oldest first', PAGE),
    400: refusal('Invalid parameter'),
  },
};

/** How many times as much as its entries a page takes: as objects, as labels, and written as JSON. */
const PAGE_FACTOR = 6;
/** What is written in a step, in UTF-16 units. An event may be as long. */
const PART_UNITS = 64 * 1024;

export interface FeedRouteParts {
  readonly answers: AnswerMemory;
  /** Those who only look take turns, so that posts, scrapes and health checks wait for the steps of a few of them only. */
  readonly looks: ClientTurns;
  readonly loop: LoopTurns;
  readonly bytesMax: number;
}

/** The feed. `bytesMax` bounds what one page reads from the log. */
export function listEvents(feed: Feed, { answers, looks, loop, bytesMax }: FeedRouteParts): Handler {
  return async (exchange) => {
    const { request, response } = exchange;
    const parameters = parametersOf(request);
    const unknown = [...parameters.keys()].find((name) => name !== 'after' && name !== 'limit');
    if (unknown !== undefined)
      throw new RefusedError(unknown, `unknown parameter ${shown(unknown)}; use after and limit`);
    const after = wholeNumber(parameters, 'after', 0, Number.MAX_SAFE_INTEGER);
    const limit = wholeNumber(parameters, 'limit', 1, LIMIT_MAX) ?? LIMIT;
    // Sent behind the turn.
    const body = await looks.take(exchange.client, async () => {
      const memory = answers.open(response);
      const room = answers.takeToLook(memory, bytesMax * PAGE_FACTOR);
      const page = await feed.read(
        after === undefined ? undefined : offset(after),
        limit,
        room / PAGE_FACTOR,
      );
      memory.resize(page.events.reduce((sum, { series }) => sum + series.length * PAGE_FACTOR, 0));
      const made = await loop.run(written(page));
      holdParts(made, memory, response, answers);
      return made;
    });
    exchange.header('Cache-Control', 'no-store').type('application/json; charset=utf-8');
    sendParts(exchange, body);
  };
}

/** Writes a page as JSON, a few events in each step: thousands of long ones take a tenth of a second. */
function* written({ events, ...rest }: FeedPage): Generator<void, Parts> {
  const parts: Uint8Array[] = [];
  let text = '{"events":[';
  let size = 0;
  const close = (): void => {
    const part = Buffer.from(text);
    parts.push(part);
    size += part.length;
    text = '';
  };
  for (const [index, event] of events.entries()) {
    text += (index === 0 ? '' : ',') + JSON.stringify(eventJson(event));
    if (text.length < PART_UNITS) continue;
    close();
    yield;
  }
  text += `],${JSON.stringify(rest).slice(1)}`;
  close();
  return { parts, size };
}

function wholeNumber(parameters: Parameters, name: string, min: number, max: number): number | undefined {
  const raw = parameters.get(name);
  if (raw === undefined) return undefined;
  const value = /^\d{1,16}$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new RefusedError(name, `${name} ${shown(raw)} must be a whole number from ${min} to ${max}`);
}
