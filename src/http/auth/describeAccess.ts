import type { FastifyInstance } from 'fastify';
import { ERROR } from '../openapi.ts';
import { accessOf } from './routeAccess.ts';

const TOO_MANY = 'Too many requests; see Retry-After';

const FOREIGN_PAGE = 'A page of another website made the browser send it; see server.allowedOrigins';
const UNKNOWN_HOST = "The server needs no credentials and doesn't know this Host; see server.allowedHosts";
const HEALTH: ReadonlySet<string> = new Set(['/healthz', '/-/healthy', '/-/ready']);

/** What of a schema is looked at here. */
interface Described {
  readonly hide?: boolean;
  readonly response?: Readonly<Record<string, { readonly description?: string }>>;
}

/** Adds to each route's description what the guard may answer in its place: 401, 403, 421, 429. To be called before routes are added. */
export function describeAccess(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const schema = route.schema as Described | undefined;
    if (schema === undefined || schema.hide === true) return;
    const [method = ''] = [route.method].flat();
    const asked = accessOf(method, route.url, route.config?.access);
    const { response = {} } = schema;
    const own = response['429']?.description;
    const tooMany = own === undefined || own.endsWith(TOO_MANY) ? TOO_MANY : `${own}. Or: ${TOO_MANY}`;
    route.schema = {
      ...schema,
      ...(asked === 'open' && response['401'] === undefined && { security: [] }),
      response: {
        ...response,
        ...(asked !== 'open' && {
          401: {
            ...ERROR,
            description: 'Missing or wrong credentials; see WWW-Authenticate',
          },
        }),
        ...forbidden(changes(method, route.url), asked === 'open' || asked === 'any' ? undefined : asked),
        ...(!HEALTH.has(route.url) && { 421: { ...ERROR, description: UNKNOWN_HOST } }),
        429: { ...ERROR, description: tooMany },
      },
    };
  });
}

/** Whether a request posts, deletes or takes events: what pages of other websites may not make a browser do. */
function changes(method: string, url: string): boolean {
  return (method !== 'GET' && method !== 'HEAD') || (method === 'GET' && url === '/metrics');
}

function forbidden(isForeignPageRefused: boolean, scope: string | undefined): object {
  const reasons = [
    ...(scope === undefined ? [] : [`The credentials lack the scope ${scope}`]),
    ...(isForeignPageRefused ? [FOREIGN_PAGE] : []),
  ];
  return reasons.length === 0 ? {} : { 403: { ...ERROR, description: reasons.join('. Or: ') } };
}
