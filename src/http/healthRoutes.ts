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
  response: { 200: textOf('It does', 'text/plain') },
});

const READY = {
  tags: ['health'],
  summary: 'Check whether the server accepts requests',
  response: {
    200: textOf('It does', 'text/plain'),
    503: { ...ERROR, description: 'Not yet, or no longer' },
  },
};

/** `/healthz` as the replaced system had it; `/-/healthy` and `/-/ready` as the ecosystem has them. */
export function healthRoutes(app: FastifyInstance, readiness: () => Readiness): void {
  app.get('/healthz', { schema: schemaOf('Check whether the process answers') }, (_request, reply) =>
    reply.type(PLAIN).send('OK\n'),
  );
  app.get('/-/healthy', { schema: schemaOf('Check whether the process answers') }, (_request, reply) =>
    reply.type(PLAIN).send('oneShotMetricsServer is healthy.\n'),
  );
  app.get('/-/ready', { schema: READY }, async (_request, reply) => {
    const state = readiness();
    if (!state.ready) throw new UnavailableError('not_ready', state.why, 1);
    return reply.type(PLAIN).send('oneShotMetricsServer is ready.\n');
  });
}
