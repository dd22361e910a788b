import { hasBody } from './bodyMemory.ts';
import type { Handler } from './endpoint.ts';
import type { BodyRules, EventBody, Pairs } from './eventBody.ts';
import { readEventBody, readEventStream, readParameters } from './eventBody.ts';
import type { EventFormat } from './eventFormat.ts';
import { eventFormatOf, isOfCloudEvents } from './eventFormat.ts';
import type { Exchange } from './exchange.ts';
import { idempotencyKey } from './idempotencyKey.ts';
import type { Ingest, IngestOptions, Ingested } from '../intake/ingest.ts';
import type { Whereabouts } from '../intake/whereabouts.ts';
import { whereaboutsOf } from '../intake/whereabouts.ts';
import type { LoopTurns } from './loopTurns.ts';
import type { IngestReply } from './ingestReply.ts';
import { replyTo } from './ingestReply.ts';
import { queryOf } from './query.ts';
import type { WaitRequest } from './waitRequest.ts';
import { waitRequestOf } from './waitRequest.ts';
import { WaitingPosts } from './waitingPosts.ts';
import type { WaitParts } from './waitingPosts.ts';

/** Longer bodies are read one in each turn of the event loop: one of a MiB takes some 60 ms, and many may have come at once. */
const LONG_BYTES = 32 * 1024;

/** What was stored, and how to answer. */
interface Stored {
  readonly ingested: Ingested;
  readonly options: IngestOptions;
}

/** Stores events in any of the formats. */
export function postEvents(
  ingest: Ingest,
  rules: BodyRules,
  loop: Pick<LoopTurns, 'once'>,
  waits: WaitParts,
): Handler {
  const waiting = new WaitingPosts(waits);
  const waitRules = { pairsMax: rules.pairsMax, timeoutMaxMs: waits.timeoutMaxMs };

  const ingestAll = async (
    exchange: Exchange,
    { reads, options }: EventBody,
    id?: string,
  ): Promise<Stored> => {
    const { memory } = exchange;
    return {
      ingested: await ingest.ingest(reads, { ...options, requestId: id, memory, sender: exchange }),
      options,
    };
  };

  /** `url`: the parameters of the URL that are the events', if these are not all. */
  const store = async (exchange: Exchange, format: EventFormat, url?: Pairs): Promise<Stored> => {
    const { request } = exchange;
    const id = idempotencyKey(request);
    if (format === 'parameters') {
      const form = hasBody(request) ? await exchange.wholeBody() : undefined;
      return {
        ingested: await ingest.one(readParameters(request, form, rules, url), id, exchange),
        options: {},
      };
    }
    if (format === 'ndjson') {
      const stream = exchange.bodyStream();
      try {
        return await ingestAll(exchange, readEventStream(exchange, stream, rules, url), id);
      } finally {
        // What was not read must not stand in the way of the next request.
        stream.resume();
      }
    }
    const body = await exchange.wholeBody();
    const read = () => readEventBody(format, request, body, rules, url);
    return ingestAll(exchange, body.length > LONG_BYTES ? await loop.once(read) : read(), id);
  };

  const storeToWait = async (
    exchange: Exchange,
    format: EventFormat,
    { url }: WaitRequest,
  ): Promise<{ told: IngestReply; where: Whereabouts }> => {
    const { ingested, options } = await store(exchange, format, url);
    return { told: replyTo(ingested, options), where: whereaboutsOf(ingested) };
  };

  return async (exchange) => {
    const { request } = exchange;
    const format = eventFormatOf(request.headers, queryOf(request) !== '');
    const wait = waitRequestOf(request, waitRules);
    if (wait !== undefined) {
      // Nothing of what was read is held while it waits.
      const { told, where } = await storeToWait(exchange, format, wait);
      await waiting.answer(exchange, told, where, wait);
      return;
    }
    const { ingested, options } = await store(exchange, format);
    const { status, body, retryAfterSeconds } = replyTo(ingested, options);
    if (retryAfterSeconds !== undefined) exchange.header('Retry-After', String(retryAfterSeconds));
    // A broker takes an answer with a body for an event in reply, and one that is none for a failure.
    if (status === 200 && isOfCloudEvents(format) && options.isPartial !== true) exchange.status(204).send();
    else exchange.status(status).json(body);
  };
}
