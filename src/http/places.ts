import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Monotonic } from '../core/millis.ts';
import { clientOf } from './auth/buckets.ts';
import type { Closings } from './closings.ts';
import type { TrustedProxies } from './proxies.ts';

export interface PlaceLimits {
  readonly max: number;
  readonly clientMax: number;
}

/** The share of all places that only addresses get that have scraped: so a flood of posts keeps out no scraper. */
const RESERVE_SHARE = 20;
/** The share of places that are freed at once where there are none: looking for them costs as much for one as for many. */
const FREED_SHARE = 100;
/** A TLS handshake that takes longer gives way before connections that are done with it, in ms. */
const HANDSHAKE_MS = 2_000;
/** What the process itself opens: the log, its files, a thread, and some that come and go. */
const OWN_DESCRIPTORS = 100;

/** What knows which connections may go. */
export interface Yielding {
  /**
   * Closes so many idle connections on which nothing is at stake, longest idle first and those without a scrape before all others; of one
   * client, where one is given. Returns them.
   */
  giveWay(most: number, client?: string): readonly Socket[];
  /** Whether this client has scraped. */
  scrapes(client: string): boolean;
}

/**
 * Who may have a connection. All take part, also those by whom nothing came yet, or whose TLS handshake runs. Each client address has a share;
 * when it, or all places, are taken, idle connections are closed in favour of new ones, and only where there are none the new one is.
 */
export class Places {
  readonly #proxies: TrustedProxies;
  readonly #yielding: Yielding;
  readonly #closings: Closings;
  readonly #elapsed: Monotonic;
  #limits: PlaceLimits;
  /** The client of each open connection. */
  readonly #clients = new Map<string, string>();
  readonly #ofClient = new Map<string, number>();
  /** Connections whose handshake runs, oldest first. */
  readonly #handshakes = new Map<string, { readonly socket: Socket; readonly since: number }>();

  constructor(
    limits: PlaceLimits,
    proxies: TrustedProxies,
    yielding: Yielding,
    closings: Closings,
    elapsed: Monotonic,
  ) {
    this.#limits = limits;
    this.#proxies = proxies;
    this.#yielding = yielding;
    this.#closings = closings;
    this.#elapsed = elapsed;
  }

  get open(): number {
    return this.#clients.size;
  }

  get max(): number {
    return this.#limits.max;
  }

  /** To be called after others have begun to listen for connections: it comes before them, and the lane takes the first for the HTTP server's. */
  watch(server: Server): void {
    const isTls = server instanceof TlsServer;
    server.prependListener('connection', (socket: Socket) => this.#admit(socket, isTls));
    if (isTls) server.prependListener('secureConnection', (socket) => this.#handshakes.delete(keyOf(socket)));
    server.on('error', (error: NodeJS.ErrnoException) => {
      // Before it listens, whoever starts it hears of it.
      if (!server.listening) return;
      if (error.code !== 'EMFILE' && error.code !== 'ENFILE') throw error;
      this.#closings.count('descriptors', undefined);
    });
  }

  /** Lowers the limits to what so many file descriptors allow, since one too many is closed without a word. Tells whether it had to. */
  limitTo(descriptors: number): boolean {
    const { max, clientMax } = this.#limits;
    const most = Math.max(1, descriptors - OWN_DESCRIPTORS);
    if (most >= max) return false;
    this.#limits = { max: most, clientMax: Math.max(1, Math.floor((clientMax * most) / max)) };
    return true;
  }

  #admit(socket: Socket, isTls: boolean): void {
    const { remoteAddress } = socket;
    // It is gone already.
    if (remoteAddress === undefined) return;
    const key = keyOf(socket);
    const client = clientOf(this.#proxies.peer(remoteAddress).canonical);
    if (!this.#makeRoom(client)) {
      // TLS would open a new socket for one that is destroyed before it is wrapped.
      if (isTls) setImmediate(() => socket.destroy());
      else socket.destroy();
      return;
    }
    this.#clients.set(key, client);
    this.#ofClient.set(client, this.#countOf(client) + 1);
    if (isTls) this.#handshakes.set(key, { socket, since: this.#elapsed() });
    socket.once('close', () => this.#release(key));
  }

  /** Sees to it that there is a place for one more of a client; false where there is none, which is counted then. */
  #makeRoom(client: string): boolean {
    const { max, clientMax } = this.#limits;
    if (this.#countOf(client) >= clientMax && !this.#free(clientMax, client)) {
      this.#closings.count('client_max', client);
      return false;
    }
    const reserved = this.#yielding.scrapes(client) ? 0 : Math.floor(max / RESERVE_SHARE);
    if (this.open < max - reserved || this.#free(max, undefined)) return true;
    this.#closings.count('connections_max', client);
    return false;
  }

  /** Closes some of the idle, of a client or of all; false where nobody is. */
  #free(places: number, client: string | undefined): boolean {
    const most = Math.max(1, Math.floor(places / FREED_SHARE));
    let freed = this.#endHandshakes(most, client, HANDSHAKE_MS);
    if (freed.length === 0) freed = this.#yielding.giveWay(most, client);
    if (freed.length === 0) freed = this.#endHandshakes(most, client, 0);
    for (const socket of freed) {
      const key = keyOf(socket);
      this.#closings.count(client === undefined ? 'connections_max' : 'client_max', this.#clients.get(key));
      this.#release(key);
    }
    return freed.length > 0;
  }

  #endHandshakes(most: number, client: string | undefined, ageMs: number): readonly Socket[] {
    const before = this.#elapsed() - ageMs;
    const ended: Socket[] = [];
    for (const [key, { socket, since }] of this.#handshakes) {
      if (since > before || ended.length === most) break;
      if (client !== undefined && this.#clients.get(key) !== client) continue;
      socket.destroy();
      ended.push(socket);
    }
    return ended;
  }

  /** At once where it is closed here, since Node tells that only later. */
  #release(key: string): void {
    const client = this.#clients.get(key);
    if (client === undefined) return;
    this.#clients.delete(key);
    this.#handshakes.delete(key);
    const left = this.#countOf(client) - 1;
    if (left === 0) this.#ofClient.delete(client);
    else this.#ofClient.set(client, left);
  }

  #countOf(client: string): number {
    return this.#ofClient.get(client) ?? 0;
  }
}

/** Unique among the open connections of one port. A TLS socket has the same as the TCP socket that carries it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
