import type { FastifyInstance, FastifyRequest } from 'fastify';
import { UnsupportedError, shown } from '../core/errors.ts';
import { draftFromPairs } from '../core/draft.ts';
import type { EventLimits } from '../core/limits.ts';
import { parseForm } from '../wire/in/form.ts';
import { idempotencyKey } from './idempotencyKey.ts';
import type { Ingest } from './ingest.ts';
import { ERROR } from './openapi.ts';
import { queryOf } from './query.ts';

const FORM = 'application/x-www-form-urlencoded';

const SCHEMA = {
  tags: ['events'],
  summary: 'Take one event; its labels stand in the URL, a form body, or both',
  description:
    "Each parameter is a label. Three are not: `value` is the sample's value (a float64, default 1), `__name__` the metric's name, " +
    '`__timestamp__` the time of the event (RFC 3339, or Unix seconds or milliseconds).',
  consumes: [FORM],
  response: {
    200: {
      description: 'it is stored',
      type: 'object',
      properties: { accepted: { type: 'integer', minimum: 1 }, duplicate: { type: 'boolean', const: true } },
    },
    400: { ...ERROR, description: 'it breaks a rule' },
    413: { ...ERROR, description: 'the body is too large' },
    414: { ...ERROR, description: 'the URL is too long' },
    415: { ...ERROR, description: 'the body is no form' },
    503: {
      ...ERROR,
      description: 'there is no room on the disk, or the server starts or stops; see Retry-After',
    },
  },
};

/** A compressed body would be read as something that nobody sent. */
async function refuseEncoded({ headers }: FastifyRequest): Promise<void> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new UnsupportedError(
    'Content-Encoding',
    `Content-Encoding ${shown(encoding)} is not taken; send the body as it is`,
  );
}

/** `POST /event`: one event, its labels in the URL, a form body, or both. */
export function eventRoute(app: FastifyInstance, ingest: Ingest, limits: EventLimits): void {
  // Two more than labels: `value` and `__name__`. Empty ones count too, so that hostile input stays bounded.
  const pairsMax = limits.labelsMax * 2 + 2;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/event', { onRequest: refuseEncoded, schema: SCHEMA }, async (request, reply) => {
    let pairs = parseForm('url', queryOf(request.raw), pairsMax);
    if (request.body instanceof Uint8Array) pairs = [...pairs, ...parseForm('body', request.body, pairsMax)];
    const requestId = idempotencyKey(request.raw);
    const { status, body } = await ingest.ingest([draftFromPairs(pairs)], { requestId });
    return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
  });
}
