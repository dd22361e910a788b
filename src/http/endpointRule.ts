import type { Scope } from '../access/scopes.ts';
import type { Operation } from './operation.ts';

/** What a request must show: nothing, any valid credential, or one with a scope. */
export type RouteAccess = 'open' | 'any' | Scope;

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

/** The bodies that an endpoint takes. */
export interface BodyRule {
  /** The longest body, as it comes and decompressed, in bytes. */
  readonly bytesMax: number;
  /** Whether bodies may be as repetitive as they like: a group of alerts has the same labels a thousand times. Their length is bounded. */
  readonly isRepetitive?: true;
}

/**
 * All of an endpoint's row but its handler. What is done with a request (routing, `Allow`, access, limits, reading its body) and what is told of it (OpenAPI, the
 * README) follow from its row, and from nothing else.
 */
export interface EndpointRule {
  readonly method: Method;
  /** As it is; only `{id}` at its end stands for any one segment. */
  readonly path: string;
  /** There is no default: nobody reaches an endpoint for whose row this was forgotten. */
  readonly access: RouteAccess;
  /** Whether requests count against limits.perClient and limits.total. Scrapes and health checks never do: posts must not starve them. */
  readonly limits: 'posts' | 'none';
  /** What its handler may read of a body; with `none`, what comes is passed over. */
  readonly body: BodyRule | 'none';
  /** Whether it answers at all times and by every Host, also while the server isn't ready. */
  readonly isHealthCheck?: true;
  /** Whether it needs what only the leader of several servers has: others answer 503. */
  readonly isLeaders?: true;
  /** Hidden where it isn't in the API's description: what is configured here is nobody else's business. */
  readonly operation: Operation | 'hidden';
}
