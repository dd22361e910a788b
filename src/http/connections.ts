import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer, TLSSocket } from 'node:tls';
import { BoundedMap } from '../core/boundedMap.ts';
import type { Evidence } from '../delivery/settle.ts';
import { evidenceOfEnd } from '../delivery/settle.ts';
import type { Share } from '../core/memory.ts';
import type { Monotonic } from '../core/millis.ts';
import type { Scrapes } from '../delivery/scrape.ts';
import { clientOf } from './auth/buckets.ts';
import type { Closings } from './closings.ts';
import type { Pipeline } from './pipelines.ts';
import { Pipelines, parseNoMore } from './pipelines.ts';
import type { Yielding } from './places.ts';
import { bytesLeft } from './progress.ts';
import type { TrustedProxies } from './proxies.ts';
import { ReadTurns } from './readTurns.ts';

/** How long a closed connection waits for the client's own end, in ms: it comes after the client has read everything. */
const LINGER_MS = 2_000;
/** A client answers our end so soon, in ms: a round trip, on a busy machine. What comes later may be its timeout. */
const ANSWER_MS = 250;

/** How long a connection that comes while the server stops may take to ask for something, in ms. */
const LATE_MS = 500;

/** How long an answer may make no progress, in ms: whoever reads nothing for so long has given up, and what is held for it is memory. */
const STALL_MS = 30_000;
/** How many clients that have scraped are remembered. */
const SCRAPING_CLIENTS_MAX = 1_000;

/** An offer and the connection that carries it. */
export interface CarriedOffer {
  readonly scraperId: string;
  readonly offerId: number;
  /** In ms of monotonic time. */
  readonly askedAt: number;
  readonly timeoutMs: number | undefined;
}

interface Connection extends Pipeline {
  /** Unique within the life of the server. */
  readonly id: number;
  /** Offers whose responses went into this socket, and that are not settled by what was seen of it. */
  carried: CarriedOffer[];
  /** How the connection ended, once it has. */
  ended: 'client' | 'reset' | 'closed' | undefined;
  /** The response to the latest request, until it has left. */
  response: ServerResponse | undefined;
  /** When this side ended at a stop, so that the client's end may be its answer. */
  endedOurs: number | undefined;
  /** The client's address, or its network. */
  readonly client: string;
  /** Whether a scrape ever came on it. */
  hasScraped: boolean;
  /** As of when it waits for a request, to a second. */
  idleSince: number;
  /** How many bytes had left it when that was last seen to change, and when that was; while an answer is under way. */
  progress: { left: number; at: number } | undefined;
  /** How many bytes had come when the latest request was there. */
  readBefore: number;
}

/** Watches connections, and tells what is seen of each response that carries an offer. It judges nothing. */
export class Connections implements Yielding {
  #scrapes: Scrapes;
  readonly #elapsed: Monotonic;
  readonly #connections = new Map<Socket, Connection>();
  readonly #proxies: TrustedProxies;
  readonly #closings: Closings;
  readonly #pipelines: Pipelines;
  readonly #reads: ReadTurns;
  /** Those who have scraped, the latest last. */
  readonly #scraping = new BoundedMap<string, true>(SCRAPING_CLIENTS_MAX);
  #lastId = 0;
  /** The time of the last sweep. */
  #sweptAt = 0;
  #stopping = false;
  #emptied: (() => void) | undefined;

  /** `bodies`: what requests may take that wait for the answers to earlier ones is a part of it. */
  constructor(
    scrapes: Scrapes,
    elapsed: Monotonic,
    proxies: TrustedProxies,
    closings: Closings,
    bodies: Share,
  ) {
    this.#reads = new ReadTurns();
    this.#pipelines = new Pipelines(bodies, this.#reads);
    this.#scrapes = scrapes;
    this.#elapsed = elapsed;
    this.#proxies = proxies;
    this.#closings = closings;
    this.#listen(scrapes);
  }

  /** Another has to hear of offers from now on. Nothing of the earlier ones may arrive any more, and what is seen of them proves nothing. */
  follow(scrapes: Scrapes): void {
    this.cutSending();
    for (const connection of this.#connections.values()) connection.carried = [];
    this.#scrapes = scrapes;
    this.#listen(scrapes);
  }

  /** Cuts all responses with offers that have not left whole. */
  cutSending(): void {
    for (const { carried, socket } of this.#connections.values())
      if (carried.length > 0 && socket.writableLength > 0) cut(socket);
  }

  /** A scrape came. Tells the number of its connection; 0 when that is gone already. */
  scraped(request: IncomingMessage): number {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return 0;
    connection.hasScraped = true;
    this.#scraping.set(connection.client, true);
    return connection.id;
  }

  scrapes(client: string): boolean {
    return this.#scraping.has(client);
  }

  giveWay(most: number, client?: string): readonly Socket[] {
    const sockets = Array.from(this.#connections.values())
      .filter((each) => mayGo(each) && (client === undefined || each.client === client))
      .toSorted(byWorth)
      .slice(0, most)
      .map(({ socket }) => socket);
    for (const socket of sockets) socket.destroy();
    return sockets;
  }

  /** Cuts answers that make no progress, whoever asked for them. To be called once a second. */
  sweep(): void {
    const now = (this.#sweptAt = this.#elapsed());
    for (const connection of this.#connections.values()) {
      const { socket, progress } = connection;
      if (socket.writableLength === 0) {
        connection.progress = undefined;
        continue;
      }
      const left = bytesLeft(socket);
      if (progress === undefined || left !== progress.left) connection.progress = { left, at: now };
      else if (now - progress.at >= STALL_MS) {
        connection.progress = undefined;
        this.#closings.count('stalled', connection.client);
        cut(socket);
      }
    }
  }

  /** How many bytes had come on it when its latest request was there; 0 before the first. */
  readBefore(socket: Socket): number {
    return this.#connections.get(socket)?.readBefore ?? 0;
  }

  /** Whether requests may come on it: it is open, and its handshake, if there is one, is done. */
  has(socket: Socket): boolean {
    return this.#connections.has(socket);
  }

  /** Whether the request that runs on it is answered, if only in part: another answer would be taken for that to the next. */
  isAnswering(socket: Socket): boolean {
    return this.#connections.get(socket)?.response?.headersSent === true;
  }

  get size(): number {
    return this.#connections.size;
  }

  watch(server: Server): void {
    // Node would destroy idle connections when the server closes, and with them the evidence that they hold.
    server.closeIdleConnections = () => undefined;
    // Under TLS a connection is one once the handshake is done; what is read and written is then seen of the socket that it made.
    const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
    server.on(opened, (socket: Socket) => this.#open(socket));
    // Before the router's own listener, so that evidence is in before the request is answered.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#request(request, response);
    });
  }

  /** A request runs on a connection that the HTTP server has not been given yet; a stop waits for its answer. It can't have carried an offer. */
  begun(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) connection.responding += 1;
  }

  /** The answer to what had `begun` was written. */
  answered(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) this.#responded(connection);
  }

  /**
   * Ties an offer to the response that carries it, and sends that by calling `send`. False where the client ended its side before: its
   * end says nothing of a response that came later, and nothing else will, so the offer is taken back and must not be sent.
   */
  carry(request: IncomingMessage, response: ServerResponse, offer: CarriedOffer, send: () => void): boolean {
    const scrapes = this.#scrapes;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.ended !== undefined) {
      // The client gave up while the offer was made.
      scrapes.observe(offer.scraperId, offer.offerId, 'closed');
      if (connection?.ended === 'client') return false;
      send();
      return true;
    }
    connection.carried.push(offer);
    const flushed = () => scrapes.flushed(offer.scraperId, offer.offerId);
    response.once('finish', flushed);
    send();
    // Most responses fit into the kernel's buffer whole: then they are gone by now, and `finish` would tell it a moment late. A
    // process that dies in that moment sends the events a second time. A response that waits for another before it has no socket yet.
    if (response.writableEnded && response.socket?.writableLength === 0) {
      response.off('finish', flushed);
      flushed();
    }
    return true;
  }

  /**
   * Ends all connections well: what is being answered is answered, our side is ended, and the client's end is awaited for a
   * moment, since it is evidence. Resolves when all are gone, after `timeoutMs` at the latest.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    const gone = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#connections.values())
      if (connection.responding === 0) this.#endOurs(connection);
    if (this.#connections.size === 0) return;
    const timer = setTimeout(() => {
      for (const { socket } of this.#connections.values()) socket.destroy();
    }, timeoutMs);
    await gone;
    clearTimeout(timer);
  }

  #listen(scrapes: Scrapes): void {
    scrapes.onWithdrawn((offerId) => {
      // Those of others have the same numbers.
      if (scrapes === this.#scrapes) this.#cut(offerId);
    });
  }

  #open(socket: Socket): void {
    this.#lastId += 1;
    const connection: Connection = {
      id: this.#lastId,
      socket,
      carried: [],
      ended: undefined,
      responding: 0,
      waiting: 0,
      isHeld: false,
      response: undefined,
      endedOurs: undefined,
      client: clientOf(this.#proxies.peer(socket.remoteAddress ?? '').canonical),
      hasScraped: false,
      idleSince: this.#sweptAt,
      progress: undefined,
      readBefore: 0,
    };
    this.#connections.set(socket, connection);
    if (this.#stopping) this.#endUnlessUsed(connection);
    // Node destroys a socket right after the response to a `Connection: close`, and would never hear the client's own end.
    socket.destroySoon = () => (this.#stopping ? this.#endOurs(connection) : endAndLinger(socket));
    socket.once('finish', () => this.#pipelines.release(connection));
    socket.prependListener('close', leaveOutTraces);
    socket.on('end', () => this.#ended(connection, 'client'));
    socket.on('error', () => this.#ended(connection, 'reset'));
    socket.on('close', () => {
      this.#ended(connection, 'closed');
      this.#pipelines.closed(connection);
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#emptied?.();
    });
  }

  /** Whoever comes late and says nothing must not hold up a stop. */
  #endUnlessUsed(connection: Connection): void {
    const timer = setTimeout(() => {
      if (connection.responding === 0) this.#endOurs(connection);
    }, LATE_MS);
    connection.socket.once('close', () => clearTimeout(timer));
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    // Of a connection that was closed, the rest of what had come is still parsed.
    if (connection === undefined || request.socket.destroyed) return;
    // Proof that earlier responses were read; the table knows that it proves nothing of one that is still being sent (pipelining).
    this.#tell(connection, () => 'nextRequest');
    if (connection.responding > 0 && !this.#pipelines.add(connection)) {
      this.#closings.count('pipelined', connection.client);
      parseNoMore(request.socket);
      cut(request.socket);
      return;
    }
    if (request.headers['transfer-encoding'] !== undefined) this.#reads.pace(request);
    connection.responding += 1;
    connection.response = response;
    connection.readBefore = request.socket.bytesRead;
    response.once('close', () => {
      if (connection.response === response) connection.response = undefined;
      this.#responded(connection);
    });
    if (this.#stopping) response.setHeader('Connection', 'close');
  }

  #responded(connection: Connection): void {
    connection.responding -= 1;
    if (connection.isHeld) this.#pipelines.answered(connection);
    connection.idleSince = this.#sweptAt;
    if (this.#stopping && connection.responding === 0) this.#endOurs(connection);
  }

  #endOurs(connection: Connection): void {
    connection.endedOurs ??= this.#elapsed();
    endAndLinger(connection.socket);
  }

  /** What was taken back must not arrive after all: its events are about to be offered again. */
  #cut(offerId: number): void {
    for (const { carried, socket } of this.#connections.values()) {
      if (carried.some((offer) => offer.offerId === offerId)) cut(socket);
    }
  }

  #ended(connection: Connection, how: 'client' | 'reset' | 'closed'): void {
    if (connection.ended !== undefined) return;
    connection.ended = how;
    const now = this.#elapsed();
    const isSending = connection.carried.length > 0 && connection.socket.writableLength > 0;
    this.#tell(connection, (offer) => {
      if (how !== 'client') return how;
      const { endedOurs } = connection;
      // The answer to our end, which the client came to behind the response: no sign of its timeout, whatever the time.
      if (endedOurs !== undefined && now - endedOurs <= ANSWER_MS) return 'cleanEnd';
      return evidenceOfEnd(offer.askedAt, now, offer.timeoutMs);
    });
    // What is still being sent was taken back; who ended only its own side would read it to the end all the same.
    if (how === 'client' && isSending) cut(connection.socket);
  }

  #tell(connection: Connection, evidenceOf: (offer: CarriedOffer) => Evidence): void {
    const { carried } = connection;
    if (carried.length === 0) return;
    connection.carried = carried.filter((offer) => {
      const evidence = evidenceOf(offer);
      return !this.#scrapes.observe(offer.scraperId, offer.offerId, evidence);
    });
  }
}

/** Whether nobody loses anything by its end: no request runs on it, and no offer awaits evidence. */
function mayGo({ responding, carried, ended, socket }: Connection): boolean {
  return responding === 0 && carried.length === 0 && ended === undefined && !socket.destroyed;
}

/** Those who only post come before those who scrape, and the longest idle first. */
function byWorth(a: Connection, b: Connection): number {
  return Number(a.hasScraped) - Number(b.hasScraped) || a.idleSince - b.idleSince || a.id - b.id;
}

/** Closes a connection at once. A reset also takes back what the kernel holds. Under TLS there is none; but nobody mistakes what lacks its last records for a whole. */
export function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Ends our side, and closes for good when the client has ended its own, or takes too long. */
function endAndLinger(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/**
 * When a connection closes, Node makes two errors for each request that was not answered. Nobody sees these, and the traces of a hundred take as
 * long as the requests. So no traces are kept until all listeners have heard of the end; Node's own may come late, behind those of the lane.
 */
function leaveOutTraces(): void {
  if (Error.stackTraceLimit === 0) return;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  process.nextTick(() => (Error.stackTraceLimit = limit));
}
