import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyRules } from './eventBody.ts';
import { readEventBody, readParameters } from './eventBody.ts';
import type { EventFormat } from './eventFormat.ts';
import { NDJSON_TYPES, eventFormatOf, isOfCloudEvents } from './eventFormat.ts';
import { EVENT_SCHEMA } from './eventSchema.ts';
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

const JSON_TYPE = 'application/json; charset=utf-8';

declare module 'fastify' {
  interface FastifyRequest {
    /** How the events of a request to this route are written; told before the body is read. */
    eventFormat: EventFormat | undefined;
  }
}

/** `POST /event`: events in any of the formats. To be registered in a scope of its own, for it takes bodies of any type. */
export async function eventRoute(
  app: FastifyInstance,
  ingest: Ingest,
  rules: BodyRules,
  loop: Pick<LoopTurns, 'once'>,
  waits: WaitParts,
): Promise<void> {
  const waiting = new WaitingPosts(waits);
  const waitRules = { pairsMax: rules.pairsMax, timeoutMaxMs: waits.timeoutMaxMs };
  app.decorateRequest('eventFormat');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addContentTypeParser([...NDJSON_TYPES], (_request, payload, done) => done(null, payload));
  app.post(
    '/event',
    // The schema tells what is taken; that it is, the formats check, and say better where it isn't.
    {
      onRequest: (request, _reply, done) => {
        request.eventFormat = eventFormatOf(request.headers, queryOf(request.raw) !== '');
        done();
      },
      schema: EVENT_SCHEMA,
      config: { streamedTypes: NDJSON_TYPES },
    },
    async (request, reply) => {
      const { eventFormat: format = 'parameters' } = request;
      const wait = waitRequestOf(request.raw, waitRules);
      if (wait !== undefined) {
        // Nothing of what was read is held while it waits.
        const { told, where } = await storeToWait(request, format, wait);
        return waiting.answer(request, reply, told, where, wait);
      }
      if (format === 'parameters') {
        const ingested = await ingest.one(readParameters(request, rules), idempotencyKey(request.raw));
        const { status, body } = replyTo(ingested);
        return reply.code(status).type(JSON_TYPE).send(JSON.stringify(body));
      }
      const { ingested, options } = await ingestBody(request, format);
      const { status, body, retryAfterSeconds } = replyTo(ingested, options);
      // A broker takes an answer with a body for an event in reply, and one that is none for a failure.
      if (status === 200 && isOfCloudEvents(format) && options.isPartial !== true)
        return reply.code(204).send();
      if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds));
      return reply.code(status).type(JSON_TYPE).send(JSON.stringify(body));
    },
  );

  const ingestBody = async (
    request: FastifyRequest,
    format: EventFormat,
    url?: WaitRequest['url'],
  ): Promise<{ ingested: Ingested; options: IngestOptions }> => {
    const requestId = idempotencyKey(request.raw);
    try {
      const read = () => readEventBody(format, request, rules, url);
      const { body: sent } = request;
      const isLong = sent instanceof Uint8Array && sent.length > LONG_BYTES;
      const { reads, options } = isLong ? await loop.once(read) : read();
      const ingested = await ingest.ingest(reads, { ...options, requestId, memory: request.memory });
      return { ingested, options };
    } finally {
      // What was not read of a stream must not stand in the way of the next request.
      if (!(request.body instanceof Uint8Array)) (request.body as Readable | undefined)?.resume();
    }
  };

  const storeToWait = async (
    request: FastifyRequest,
    format: EventFormat,
    { url }: WaitRequest,
  ): Promise<{ told: IngestReply; where: Whereabouts }> => {
    const { ingested, options } =
      format === 'parameters'
        ? {
            ingested: await ingest.one(readParameters(request, rules, url), idempotencyKey(request.raw)),
            options: {},
          }
        : await ingestBody(request, format, url);
    return { told: replyTo(ingested, options), where: whereaboutsOf(ingested) };
  };
}
