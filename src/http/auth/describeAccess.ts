import { changes } from '../browsers/pages.ts';
import type { EndpointRule } from '../endpointRule.ts';

export const FOREIGN_PAGE = 'A page of another website made the browser send it; see server.allowedOrigins';

/** What the guard may answer in an endpoint's place, by status, for the API's description. */
export function refusalsOf({
  method,
  access,
  isHealthCheck,
}: Pick<EndpointRule, 'method' | 'access' | 'isHealthCheck'>): readonly (readonly [
  status: number,
  reason: string,
])[] {
  const refusals: [number, string][] = [];
  if (access !== 'open') refusals.push([401, 'Missing or wrong credentials; see WWW-Authenticate']);
  if (access !== 'open' && access !== 'any') refusals.push([403, `The credentials lack the scope ${access}`]);
  if (changes(method)) refusals.push([403, FOREIGN_PAGE]);
  if (isHealthCheck !== true)
    refusals.push([
      421,
      "The server needs no credentials and doesn't know this Host; see server.allowedHosts",
    ]);
  refusals.push([429, 'Too many requests; see Retry-After']);
  return refusals;
}
