import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { UnsupportedError, shown } from '../core/errors.ts';
import type { BodyRules } from './eventBody.ts';
import { readEventBody } from './eventBody.ts';
import { NDJSON_TYPES, eventFormatOf } from './eventFormat.ts';
import { EVENT_SCHEMA } from './eventSchema.ts';
import { idempotencyKey } from './idempotencyKey.ts';
import type { Ingest } from './ingest.ts';

/** A compressed body would be read as something that nobody sent. */
async function refuseEncoded({ headers }: FastifyRequest): Promise<void> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new UnsupportedError(
    'Content-Encoding',
    `Content-Encoding ${shown(encoding)} is not taken; send the body as it is`,
  );
}

/** Before the body is read. */
async function refuseFormat({ headers }: FastifyRequest): Promise<void> {
  eventFormatOf(headers);
}

/** `POST /event`: events in any of the formats. To be registered in a scope of its own, for it takes bodies of any type. */
export async function eventRoute(app: FastifyInstance, ingest: Ingest, rules: BodyRules): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addContentTypeParser([...NDJSON_TYPES], (_request, payload, done) => done(null, payload));
  app.post(
    '/event',
    // The schema tells what is taken; that it is, the formats check, and say better where it isn't.
    { onRequest: [refuseEncoded, refuseFormat], schema: EVENT_SCHEMA, validatorCompiler: () => () => true },
    async (request, reply) => {
      const format = eventFormatOf(request.headers);
      try {
        const requestId = idempotencyKey(request.raw);
        const { reads, options } = readEventBody(format, request, rules);
        const { status, body } = await ingest.ingest(reads, { ...options, requestId });
        return await reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
      } finally {
        // What was not read of a stream must not stand in the way of the next request.
        if (!(request.body instanceof Uint8Array)) (request.body as Readable | undefined)?.resume();
      }
    },
  );
}
