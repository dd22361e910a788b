import type { FastifyInstance } from 'fastify';
import { ERROR } from '../openapi.ts';
import { accessOf } from './routeAccess.ts';

const TOO_MANY = 'a limit of requests is reached; see Retry-After';

/** What of a schema is looked at here. */
interface Described {
  readonly hide?: boolean;
  readonly response?: Readonly<Record<string, { readonly description?: string }>>;
}

/** Adds to each route's description what the guard may answer in its place: 401, 403, 429. To be called before routes are added. */
export function describeAccess(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const schema = route.schema as Described | undefined;
    if (schema === undefined || schema.hide === true) return;
    const [method = ''] = [route.method].flat();
    const asked = accessOf(method, route.url, route.config?.access);
    const { response = {} } = schema;
    const own = response['429']?.description;
    const tooMany = own === undefined || own.endsWith(TOO_MANY) ? TOO_MANY : `${own}; or ${TOO_MANY}`;
    route.schema = {
      ...schema,
      ...(asked === 'open' && response['401'] === undefined && { security: [] }),
      response: {
        ...response,
        ...(asked !== 'open' && {
          401: {
            ...ERROR,
            description: 'credentials are asked for, and there is no valid one; see WWW-Authenticate',
          },
        }),
        ...(asked !== 'open' &&
          asked !== 'any' && { 403: { ...ERROR, description: `the credential lacks the scope ${asked}` } }),
        429: { ...ERROR, description: tooMany },
      },
    };
  });
}
