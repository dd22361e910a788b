import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { BoundedMap } from '../core/boundedMap.ts';
import type { Claim, Share } from '../core/memory.ts';
import { memoryFull, textBytes } from '../core/memory.ts';
import { clientOf } from './auth/buckets.ts';
import type { Exchange } from './exchange.ts';
import { whenClosed } from './whenClosed.ts';

/** What a request takes beside its head and its body, in bytes: the objects of Node's, and a stream or two. Measured. */
const REQUEST_BYTES = 16 * 1024;
/** The head of a request without a body is counted where it takes more: all others are answered at once. */
const FREE_HEAD_BYTES = 16 * 1024;
/** What a chunk takes beside its bytes: who sends byte by byte sends that many of them. */
const CHUNK_BYTES = 256;
/** A body of which nothing came for so long gives way to others where memory is short, in ms. */
const STALLED_MS = 2_000;

/** Whose holdings have to be so many times those of who asks, so that they give way: who is made to come again costs all more. */
const GREED = 2;

/** Where nobody had to give way to a client, all bodies are not looked through again for it for so long, in ms. */
const NOBODY_MS = 100;
const NOBODY_CLIENTS_MAX = 1_000;

/** Who made a request. */
interface Owner {
  readonly socket: Socket;
  /** Its client, once somebody asked. */
  client?: string;
}

/** A body that is being read. */
interface Reading {
  readonly claim: Claim;
  /** Ends the reading; the request is answered with the error. */
  readonly fail: (error: Error) => void;
  /** When something of it came last. */
  at: number;
}

/**
 * Counts what requests hold from when their heads are there until they are over: answered, and read to their ends. Where there is no
 * room for more, what is answered already gives way, then what stalled longest; where nothing has, the largest of the client that holds most, if it holds far more
 * than the one that asks. So a client that keeps its bodies open, a byte at a time, keeps out nobody but itself.
 */
export class BodyMemory {
  readonly #share: Share;
  /** In ms, of a clock that is never set back. */
  readonly #elapsed: () => number;
  /** Those of which something came last are the last. */
  readonly #readings = new Set<Reading>();
  /** Whose request each claim is for, also before anything of its body is read. */
  readonly #owners = new WeakMap<Claim, Owner>();
  /** When it was found for a client that nobody has to give way to it, in its latest searches. */
  readonly #nobodyFor = new BoundedMap<string, number>(NOBODY_CLIENTS_MAX);
  /** Requests that are answered, while the rest of their bodies is still to come. */
  readonly #rests = new Map<Claim, Socket>();

  constructor(share: Share, elapsed: () => number) {
    this.#share = share;
    this.#elapsed = elapsed;
    share.makeRoom = (asker) => this.#dropRest() || this.#dropStalled() || this.#dropOfGreediest(asker);
  }

  /** Opens a claim for a request with a body, or with a large head. To be called before its body is read. */
  open(exchange: Exchange): void {
    const { request } = exchange;
    const head = headBytes(request);
    if (head > FREE_HEAD_BYTES || hasBody(request)) this.#open(exchange, head + REQUEST_BYTES);
  }

  #open(exchange: Exchange, bytes: number): void {
    const claim = (exchange.memory = this.#share.claim());
    const { request, response } = exchange;
    // A request that was destroyed has no socket any more.
    const { socket } = request;
    this.#owners.set(claim, { socket });
    whenClosed(response, () => {
      if (request.complete || socket.destroyed) claim[Symbol.dispose]();
      else this.#awaitRest(request, socket, claim, bytes);
    });
    claim.take(bytes);
  }

  /** Node keeps a request until its body has come, also where it is answered: its head is still there. */
  #awaitRest(request: IncomingMessage, socket: Socket, claim: Claim, bytes: number): void {
    const over = (): void => {
      this.#rests.delete(claim);
      request.off('end', over);
      socket.off('close', over);
      claim[Symbol.dispose]();
    };
    claim.resize(bytes);
    this.#rests.set(claim, socket);
    request.once('end', over);
    socket.once('close', over);
    while (this.#share.held > this.#share.bytesMax) if (!this.#dropRest()) break;
  }

  /** Watches what comes of a body, and counts it if nobody else does. */
  watch({ request, response, memory }: Exchange, payload: Readable, counted?: 'counted'): void {
    if (memory === undefined || !hasBody(request)) return;
    const stop = this.#watch(payload, memory, request, counted);
    // What is answered before all of it came must not be waited for.
    whenClosed(response, stop);
  }

  /** Returns what ends the watch. */
  #watch(
    payload: Readable,
    claim: Claim,
    request: IncomingMessage,
    counted: 'counted' | undefined,
  ): () => void {
    const came = (chunk: Buffer) => {
      try {
        claim.take(chunk.length + CHUNK_BYTES);
      } catch (error) {
        reading.fail(error as Error);
      }
    };
    const stop = () => {
      this.#readings.delete(reading);
      payload.off('data', came).off('end', stop).off('error', stop).off('close', stop);
    };
    const reading: Reading = {
      claim,
      at: this.#elapsed(),
      fail: (error) => {
        stop();
        // A request must not be destroyed: its answer would have nowhere to go.
        if (payload === request) payload.emit('error', error);
        else payload.destroy(error);
      },
    };
    this.#readings.add(reading);
    claim.progressed = () => {
      if (!this.#readings.delete(reading)) return;
      reading.at = this.#elapsed();
      this.#readings.add(reading);
    };
    payload.on('end', stop).on('error', stop).on('close', stop);
    if (counted !== undefined) payload.on('data', came);
    return stop;
  }

  /** Closes the connection whose rest is awaited longest: its client has its answer. Tells whether there is such a one. */
  #dropRest(): boolean {
    for (const [claim, socket] of this.#rests) {
      this.#rests.delete(claim);
      claim[Symbol.dispose]();
      socket.destroy();
      return true;
    }
    return false;
  }

  /** Gives up the body that stalled longest; tells whether one has. */
  #dropStalled(): boolean {
    for (const reading of this.#readings) {
      if (this.#elapsed() - reading.at < STALLED_MS) return false;
      if (this.#drop(reading, 'the request arrived too slowly, and other requests needed its memory'))
        return true;
    }
    return false;
  }

  #dropOfGreediest(asker: Claim): boolean {
    const asking = this.#clientOf(asker);
    // All bodies are looked at: while that brings nothing, not for each that asks.
    const searchedAt = this.#nobodyFor.get(asking) ?? -Infinity;
    if (this.#elapsed() - searchedAt < NOBODY_MS) return false;
    const clients = new Map<string, { held: number; largest: Reading }>();
    for (const reading of this.#readings) {
      const { claim } = reading;
      const client = this.#clientOf(claim);
      const known = clients.get(client);
      if (known === undefined) {
        clients.set(client, { held: claim.held, largest: reading });
        continue;
      }
      known.held += claim.held;
      if (claim.held > known.largest.claim.held) known.largest = reading;
    }
    let [client, greediest] = ['', { held: 0 } as { held: number; largest?: Reading }];
    for (const [name, each] of clients) if (each.held > greediest.held) [client, greediest] = [name, each];
    const asked = Math.max(asker.held, clients.get(asking)?.held ?? 0);
    const { held, largest } = greediest;
    if (largest === undefined || client === asking || held <= asked * GREED) {
      this.#nobodyFor.set(asking, this.#elapsed());
      return false;
    }
    return this.#drop(largest, 'your requests together used memory that other clients needed');
  }

  /** Whose request it is. Empty where what asks belongs to no request alone. */
  #clientOf(claim: Claim): string {
    const owner = this.#owners.get(claim);
    if (owner === undefined) return '';
    return (owner.client ??= clientOf(owner.socket.remoteAddress ?? ''));
  }

  /** Gives up a body; tells whether that brought anything. */
  #drop(reading: Reading, why: string): boolean {
    this.#readings.delete(reading);
    reading.fail(memoryFull(why));
    const { held } = reading.claim;
    reading.claim.give(held);
    return held > 0;
  }
}

/**
 * Holds what a request's head takes until it is over, and no longer its body, which its handler has let go of. False where there is no room for that.
 */
export function holdHead({ request, response, memory }: Exchange, share: Share): boolean {
  const bytes = headBytes(request) + REQUEST_BYTES;
  if (memory !== undefined) {
    memory.resize(bytes);
    return true;
  }
  if (!share.take(bytes)) return false;
  whenClosed(response, () => share.give(bytes));
  return true;
}

/** What a request's head takes. */
function headBytes({ url = '', rawHeaders }: IncomingMessage): number {
  let bytes = textBytes(url);
  for (const text of rawHeaders) bytes += textBytes(text);
  return bytes;
}

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
