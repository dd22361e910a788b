import { hasBody } from './bodyMemory.ts';
import type { Handler } from './endpoint.ts';
import type { BodyRules, EventBody } from './eventBody.ts';
import { readEventBody, readEventStream, readParameters } from './eventBody.ts';
import type { EventFormat } from './eventFormat.ts';
import { eventFormatOf, isOfCloudEvents } from './eventFormat.ts';
import type { Exchange } from './exchange.ts';
import { idempotencyKey } from './idempotencyKey.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { LoopTurns } from './loopTurns.ts';
import { replyTo } from './ingestReply.ts';
import { queryOf } from './query.ts';

/** Longer bodies are read one in each turn of the event loop: one of a MiB takes some 60 ms, and many may have come at once. */
const LONG_BYTES = 32 * 1024;

/** Stores events in any of the formats. */
export function postEvents(ingest: Ingest, rules: BodyRules, loop: Pick<LoopTurns, 'once'>): Handler {
  const store = async (
    exchange: Exchange,
    { reads, options }: EventBody,
    format: EventFormat,
    id?: string,
  ) => {
    const { memory } = exchange;
    const ingested = await ingest.ingest(reads, { ...options, requestId: id, memory });
    const { status, body, retryAfterSeconds } = replyTo(ingested, options);
    if (retryAfterSeconds !== undefined) exchange.header('Retry-After', String(retryAfterSeconds));
    // A broker takes an answer with a body for an event in reply, and one that is none for a failure.
    if (status === 200 && isOfCloudEvents(format) && options.isPartial !== true) exchange.status(204).send();
    else exchange.status(status).json(body);
  };

  return async (exchange) => {
    const { request } = exchange;
    const format = eventFormatOf(request.headers, queryOf(request) !== '');
    const id = idempotencyKey(request);
    if (format === 'parameters') {
      const form = hasBody(request) ? await exchange.wholeBody() : undefined;
      const { status, body } = replyTo(await ingest.one(readParameters(request, form, rules), id));
      exchange.status(status).json(body);
      return;
    }
    if (format === 'ndjson') {
      const stream = exchange.bodyStream();
      try {
        await store(exchange, readEventStream(exchange, stream, rules), format, id);
      } finally {
        // What was not read must not stand in the way of the next request.
        stream.resume();
      }
      return;
    }
    const body = await exchange.wholeBody();
    const read = () => readEventBody(format, request, body, rules);
    await store(exchange, body.length > LONG_BYTES ? await loop.once(read) : read(), format, id);
  };
}
