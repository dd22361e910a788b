import type { FastifyInstance } from 'fastify';
import type { EventRules } from '../core/event.ts';
import { eventFromPairs } from '../core/event.ts';
import type { Acceptor } from '../relay/accept.ts';
import { parseForm } from '../wire/in/form.ts';
import { ERROR } from './openapi.ts';
import { queryOf } from './query.ts';

const FORM = 'application/x-www-form-urlencoded';
const ACCEPTED_ONE = JSON.stringify({ accepted: 1 });

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
      required: ['accepted'],
      properties: { accepted: { type: 'integer', minimum: 1 } },
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

/** `POST /event`: one event, its labels in the URL, a form body, or both. */
export function eventRoute(app: FastifyInstance, acceptor: Acceptor, rules: EventRules): void {
  // Two more than labels: `value` and `__name__`. Empty ones count too, so that hostile input stays bounded.
  const pairsMax = rules.limits.labelsMax * 2 + 2;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/event', { schema: SCHEMA }, async (request, reply) => {
    let pairs = parseForm('url', queryOf(request.raw), pairsMax);
    if (request.body instanceof Uint8Array) pairs = [...pairs, ...parseForm('body', request.body, pairsMax)];
    await acceptor.accept([eventFromPairs(pairs, rules)]);
    return reply.type('application/json; charset=utf-8').send(ACCEPTED_ONE);
  });
}
