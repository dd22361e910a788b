import type { EndpointRule } from './endpointRule.ts';
import type { Exchange } from './exchange.ts';

/** Answers a request. What it throws, or rejects with, is answered as answers.ts says. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

/** A row of the table in endpoints.ts. */
export interface Endpoint extends EndpointRule {
  readonly handler: Handler;
}

/** The same endpoints, and one for HEAD beside each GET that has none: Node leaves out the bodies of its answers. */
export function withHeads(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.flatMap((endpoint) => {
    const { method, path, operation } = endpoint;
    const hasHead = endpoints.some((other) => other.path === path && other.method === 'HEAD');
    if (method !== 'GET' || hasHead) return [endpoint];
    const head = operation === 'hidden' ? operation : { ...operation, id: `${operation.id}Head` };
    return [endpoint, { ...endpoint, method: 'HEAD', operation: head }];
  });
}
