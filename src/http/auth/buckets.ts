import ipaddr from 'ipaddr.js';
import type { BucketRule, Taken } from '../../core/tokenBucket.ts';
import { take } from '../../core/tokenBucket.ts';

/** How many clients' buckets are kept. One more pushes out the one that was used longest ago, which then begins anew. */
export const CLIENTS_MAX = 10_000;

/** How many leading bits of an IPv6 address count: whoever has one address there has the other 64 bits to choose from. */
const IPV6_BITS = 64;

/** A token bucket for each client address. */
export class ClientBuckets {
  readonly #rule: BucketRule;
  /** When each client's bucket will be full again. The order is that of their last requests. */
  readonly #fullAt = new Map<string, number>();

  constructor(rule: BucketRule) {
    this.#rule = rule;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** Asks whether a client's request passes; `keep` makes it count. So a request counts nowhere that another limit stops. */
  ask(address: string, now: number): Taken & { readonly keep: () => void } {
    const client = clientOf(address);
    const taken = take(this.#rule, this.#fullAt.get(client) ?? 0, now);
    return { ...taken, keep: () => taken.passed && this.#keep(client, taken.fullAt, now) };
  }

  #keep(client: string, fullAt: number, now: number): void {
    this.#fullAt.delete(client);
    this.#fullAt.set(client, fullAt);
    for (const [oldest, full] of this.#fullAt) {
      if (full > now && this.#fullAt.size <= CLIENTS_MAX) break;
      this.#fullAt.delete(oldest);
    }
  }
}

/** What a socket that listens on both kinds of addresses calls one of IPv4. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** An IPv6 address without what its owner may choose; anything else as it is. */
export function clientOf(address: string): string {
  if (MAPPED.test(address)) return address.replace(MAPPED, '');
  if (!ipaddr.IPv6.isValid(address)) return address;
  const prefix = ipaddr.IPv6.networkAddressFromCIDR(`${address.replace(/%.*$/, '')}/${IPV6_BITS}`);
  return `${prefix.toString()}/${IPV6_BITS}`;
}
