import type { Scope } from '../../access/scopes.ts';
import { HEALTH_PATHS } from '../healthRoutes.ts';

/** What a route asks for: nothing, any valid credential, or one with a scope. */
export type RouteAccess = 'open' | 'any' | Scope;

/** Reading routes that give out events, or tell of scrapers. */
const SCRAPED: ReadonlySet<string> = new Set([
  '/metrics',
  '/api/v1/events',
  '/api/v1/events/:id',
  '/api/v1/scrapers',
]);

/** Methods that change something here: those that post, and those that take away. */
const POSTING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Whether a request counts against the limits for posting. Scrapes and health checks never do: posts must not starve them. */
export function isPosting(method: string): boolean {
  return POSTING.has(method);
}

/**
 * What a request asks for. A route may say it itself (`config: { access }`), as one does that checks a signature of its own; else its
 * method tells: whatever posts is `write`, whatever deletes is `admin`. `route` is undefined where no route takes the request.
 */
export function accessOf(
  method: string,
  route: string | undefined,
  declared: RouteAccess | undefined,
): RouteAccess {
  if (declared !== undefined) return declared;
  if (isPosting(method)) return 'write';
  if (method === 'DELETE') return 'admin';
  if (route === undefined) return 'any';
  if (HEALTH_PATHS.has(route)) return 'open';
  return SCRAPED.has(route) ? 'scrape' : 'any';
}
