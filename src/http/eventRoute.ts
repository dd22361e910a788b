import type { FastifyInstance } from 'fastify';
import type { EventRules } from '../core/event.ts';
import { eventFromPairs } from '../core/event.ts';
import type { Acceptor } from '../relay/accept.ts';
import { parseForm } from '../wire/in/form.ts';
import { queryOf } from './query.ts';

const FORM = 'application/x-www-form-urlencoded';
const ACCEPTED_ONE = JSON.stringify({ accepted: 1 });

/** `POST /event`: one event, its labels in the URL, a form body, or both. */
export function eventRoute(app: FastifyInstance, acceptor: Acceptor, rules: EventRules): void {
  // Two more than labels: `value` and `__name__`. Empty ones count too, so that hostile input stays bounded.
  const pairsMax = rules.limits.labelsMax * 2 + 2;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/event', async (request, reply) => {
    let pairs = parseForm('url', queryOf(request.raw), pairsMax);
    if (request.body instanceof Uint8Array) pairs = [...pairs, ...parseForm('body', request.body, pairsMax)];
    await acceptor.accept([eventFromPairs(pairs, rules)]);
    return reply.type('application/json; charset=utf-8').send(ACCEPTED_ONE);
  });
}
