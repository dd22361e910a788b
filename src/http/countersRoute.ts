import type { FastifyInstance } from 'fastify';
import { ERROR } from './openapi.ts';

export interface CountersRouteParts {
  /** Forgets all series of the counter beside events. Throws an UnavailableError. */
  readonly reset: () => Promise<void>;
}

/** `DELETE /api/v1/counters`: makes room again after a flood of label values, which stay in every scrape otherwise. */
export function countersRoute(app: FastifyInstance, { reset }: CountersRouteParts): void {
  const schema = {
    tags: ['counters'],
    summary: 'Forget all series of events_to_metrics_events_total',
    description:
      'They begin again at 0, which Prometheus sees as a counter reset, and those that counted as `other` get series of their own again. ' +
      'Events, and what scrapers have yet to get, stay as they are.',
    response: {
      204: { type: 'null', description: 'forgotten, also after a restart' },
      503: { ...ERROR, description: 'the disk is full, and nothing is forgotten; see Retry-After' },
    },
  };
  app.delete('/api/v1/counters', { schema }, async (_request, reply) => {
    await reset();
    return reply.code(204).send();
  });
}
