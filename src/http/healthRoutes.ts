import type { FastifyInstance } from 'fastify';
import { UnavailableError } from '../core/errors.ts';

/** Whether the server takes requests now, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly why: string };

/** They answer at all times, whether the server is ready or not. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/-/healthy', '/-/ready']);

const PLAIN = 'text/plain; charset=utf-8';

/** `/healthz` as the replaced system had it; `/-/healthy` and `/-/ready` as the ecosystem has them. */
export function healthRoutes(app: FastifyInstance, readiness: () => Readiness): void {
  app.get('/healthz', (_request, reply) => reply.type(PLAIN).send('OK\n'));
  app.get('/-/healthy', (_request, reply) => reply.type(PLAIN).send('oneShotMetricsServer is healthy.\n'));
  app.get('/-/ready', async (_request, reply) => {
    const state = readiness();
    if (!state.ready) throw new UnavailableError('not_ready', state.why, 1);
    return reply.type(PLAIN).send('oneShotMetricsServer is ready.\n');
  });
}
