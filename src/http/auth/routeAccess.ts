import type { EndpointRule, RouteAccess } from '../endpointRule.ts';

/** Methods that change something here: those that post, and those that take away. */
const POSTING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** What a request asks for: what its row says. One that no row answers must not tell a stranger so, and asks for what its method would. */
export function accessOf(method: string, endpoint: Pick<EndpointRule, 'access'> | undefined): RouteAccess {
  if (endpoint !== undefined) return endpoint.access;
  if (POSTING.has(method)) return 'write';
  return method === 'DELETE' ? 'admin' : 'any';
}

/** Whether a request counts against the limits for posting. Scrapes and health checks never do: posts must not starve them. */
export function isPosting(method: string, endpoint: Pick<EndpointRule, 'limits'> | undefined): boolean {
  return endpoint === undefined ? POSTING.has(method) : endpoint.limits === 'posts';
}
