import type { Exchange } from '../exchange.ts';
import type { Principal } from '../../access/scopes.ts';
import type { Admission } from './admission.ts';

/**
 * Lets a request in; throws, or rejects with, what it is refused for. Where there is nothing to wait for, no promise is made: nearly all come
 * this way.
 */
export type Guard = (exchange: Exchange) => Promise<void> | undefined;

/** Asks of each request what `Admission` asks, before anything else of it is looked at. */
export function guard(admission: Admission): Guard {
  return (exchange) => {
    const { request, endpoint } = exchange;
    const { method = '', headers, socket } = request;
    for (const [name, value] of admission.headers) exchange.header(name, value);
    const admitted = admission.admit({ method, endpoint, headers, socket }, admission.countedOf(socket));
    if (admitted instanceof Promise) return admit(exchange, admitted);
    exchange.principal = admitted;
    return undefined;
  };
}

async function admit(exchange: Exchange, admitted: Promise<Principal | undefined>): Promise<void> {
  exchange.principal = await admitted;
}
