import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { BoundedMap } from '../core/boundedMap.ts';

/** Names for ranges, as settings use them. */
const NAMED: Record<string, readonly string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

type Address = ReturnType<typeof ipaddr.process>;
type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/** The address at the other end of a socket. */
interface Peer {
  /** In canonical form; as it is where it can't be read. */
  readonly canonical: string;
  readonly isTrusted: boolean;
}

/** Peers that are remembered: they come again and again, and to read an address takes longer than to render a scrape of little. */
const PEERS_MAX = 1_000;

/** Whose word about a client's address is taken: the proxies that stand before this server. */
export class TrustedProxies {
  readonly #ranges: readonly Cidr[];
  readonly #peers = new BoundedMap<string, Peer>(PEERS_MAX);

  /** Takes addresses, CIDR ranges, and the names `loopback`, `linklocal`, `private`. Throws a RangeError for anything else. */
  constructor(entries: readonly string[]) {
    this.#ranges = entries.flatMap((entry) => NAMED[entry.toLowerCase()] ?? [entry]).map(parseRange);
  }

  /** Reads the address of a socket. */
  peer(socketAddress: string): Peer {
    const known = this.#peers.get(socketAddress);
    if (known !== undefined) return known;
    const address = parseAddress(socketAddress);
    const peer =
      address === undefined
        ? { canonical: socketAddress, isTrusted: false }
        : { canonical: address.toString(), isTrusted: this.trusts(address) };
    this.#peers.set(socketAddress, peer);
    return peer;
  }

  trusts(address: Address): boolean {
    return this.#ranges.some((range) => range[0].kind() === address.kind() && address.match(range));
  }
}

function parseRange(text: string): Cidr {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new RangeError(
      `${JSON.stringify(text)} is not an address, a CIDR range, or one of ${Object.keys(NAMED).join(', ')}`,
      { cause },
    );
  }
}

/**
 * The client's address in canonical form, without a port: the socket's, or where the socket's is a trusted proxy's, the one that
 * the proxy names in `X-Real-Ip`, else the nearest one in `X-Forwarded-For` that is not itself a trusted proxy's.
 */
export function clientAddress(
  socketAddress: string,
  headers: IncomingHttpHeaders,
  proxies: TrustedProxies,
): string {
  const { canonical, isTrusted } = proxies.peer(socketAddress);
  if (!isTrusted) return canonical;
  const real = parseAddress(single(headers['x-real-ip']));
  if (real !== undefined) return real.toString();
  let nearest = canonical;
  for (const hop of single(headers['x-forwarded-for']).split(',').toReversed()) {
    const address = parseAddress(hop);
    // What lies beyond something unreadable was written by nobody we trust.
    if (address === undefined) break;
    nearest = address.toString();
    if (!proxies.trusts(address)) break;
  }
  return nearest;
}

/** `::ffff:1.2.3.4` is 1.2.3.4; `1.2.3.4:5`, `[::1]`, `[::1]:5` lose brackets and port; a zone is kept out. */
function parseAddress(text: string): Address | undefined {
  if (text === '') return undefined;
  const bare =
    /^\[([^\]]*)\](?::\d+)?$/.exec(text.trim())?.[1] ?? text.trim().replace(/^([\d.]+):\d+$/, '$1');
  const withoutZone = bare.replace(/%.*$/, '');
  // Only whole dotted quads: `1` or `0x7f.1` are addresses to the library.
  if (!withoutZone.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(withoutZone)) return undefined;
  return ipaddr.isValid(withoutZone) ? ipaddr.process(withoutZone) : undefined;
}

function single(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}
