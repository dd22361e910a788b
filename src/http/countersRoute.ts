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
    summary: 'Reset events_to_metrics_events_total',
    description:
      'Removes all its series. They start again at 0, which Prometheus sees as a counter reset, and events counted as `other` get their own series again. ' +
      'Events stay, also those that scrapers have yet to get.',
    response: {
      204: { type: 'null', description: "Reset; a restart doesn't bring the series back" },
      503: { ...ERROR, description: 'The disk is full, and nothing was reset; see Retry-After' },
    },
  };
  app.delete('/api/v1/counters', { schema }, async (_request, reply) => {
    await reset();
    return reply.code(204).send();
  });
}
