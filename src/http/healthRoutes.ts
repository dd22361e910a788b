import type { FastifyInstance } from 'fastify';
import { UnavailableError } from '../core/errors.ts';
import { ERROR, textOf } from './openapi.ts';

/** Whether the server takes requests now, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly why: string };

/** They answer at all times, whether the server is ready or not. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/-/healthy', '/-/ready']);

const PLAIN = 'text/plain; charset=utf-8';

const schemaOf = (summary: string) => ({
  tags: ['health'],
  summary,
  response: { 200: textOf('it does', 'text/plain') },
});

const READY = {
  tags: ['health'],
  summary: 'Whether requests are taken',
  response: {
    200: textOf('they are', 'text/plain'),
    503: { ...ERROR, description: 'not yet, or not any more' },
  },
};

/** `/healthz` as the replaced system had it; `/-/healthy` and `/-/ready` as the ecosystem has them. */
export function healthRoutes(app: FastifyInstance, readiness: () => Readiness): void {
  app.get('/healthz', { schema: schemaOf('Whether the process answers') }, (_request, reply) =>
    reply.type(PLAIN).send('OK\n'),
  );
  app.get('/-/healthy', { schema: schemaOf('Whether the process answers') }, (_request, reply) =>
    reply.type(PLAIN).send('oneShotMetricsServer is healthy.\n'),
  );
  app.get('/-/ready', { schema: READY }, async (_request, reply) => {
    const state = readiness();
    if (!state.ready) throw new UnavailableError('not_ready', state.why, 1);
    return reply.type(PLAIN).send('oneShotMetricsServer is ready.\n');
  });
}
