import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Claim, Share } from '../core/memory.ts';
import { memoryFull } from '../core/memory.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a request with a body holds of the memory for bodies, until its answer has left. */
    memory: Claim | undefined;
  }
  interface FastifyContextConfig {
    /** Media types whose bodies the route reads as they come, in bounds of its own: their whole length is not bounded. */
    streamedTypes?: readonly string[];
  }
}

/** What a chunk takes beside its bytes: who sends byte by byte sends that many of them. */
const CHUNK_BYTES = 256;
/** A body of which nothing came for so long gives way to others where memory is short, in ms. */
const STALLED_MS = 2_000;

/** A body that is being read. */
interface Reading {
  readonly claim: Claim;
  /** Ends the reading; the request is answered with the error. */
  readonly fail: (error: Error) => void;
  /** When something of it came last. */
  at: number;
}

/**
 * Counts what bodies hold from when they are read until their requests are answered. Where there is no room for more, the one that
 * stalled longest gives way; where none has, who wants more is refused.
 */
export class BodyMemory {
  readonly #share: Share;
  /** In ms, of a clock that is never set back. */
  readonly #elapsed: () => number;
  /** Those of which something came last are the last. */
  readonly #readings = new Set<Reading>();

  constructor(share: Share, elapsed: () => number) {
    this.#share = share;
    this.#elapsed = elapsed;
    share.makeRoom = () => this.#dropStalled();
  }

  /** Opens a claim for each request with a body. To be called before bodies are decoded. */
  open(app: FastifyInstance): void {
    app.decorateRequest('memory', undefined);
    app.addHook('preParsing', (request, reply, payload, done) => {
      if (hasBody(request)) {
        const claim = (request.memory = this.#share.claim());
        reply.raw.once('close', () => claim[Symbol.dispose]());
      }
      done(null, payload);
    });
  }

  /** Counts what comes of each body. What its route reads as it comes, the route counts. To be called behind what decodes bodies. */
  count(app: FastifyInstance): void {
    app.addHook('preParsing', (request, reply, payload, done) => {
      const { memory } = request;
      if (memory !== undefined) {
        const stop = this.#watch(payload, memory, request);
        // What is answered before all of it came must not be waited for.
        reply.raw.once('close', stop);
      }
      done(null, payload);
    });
  }

  /** Returns what ends the watch. */
  #watch(payload: Readable, claim: Claim, request: FastifyRequest): () => void {
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
        if (payload === request.raw) payload.emit('error', error);
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
    if (!isStreamed(request)) payload.on('data', came);
    return stop;
  }

  /** Gives up the body that stalled longest; tells whether one has. */
  #dropStalled(): boolean {
    for (const reading of this.#readings) {
      if (this.#elapsed() - reading.at < STALLED_MS) return false;
      reading.fail(memoryFull('the request came too slowly while others needed its memory'));
      const held = reading.claim.held;
      reading.claim[Symbol.dispose]();
      if (held > 0) return true;
    }
    return false;
  }
}

export function hasBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Whether the route reads the body as it comes. */
export function isStreamed({ headers, routeOptions }: FastifyRequest): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return routeOptions.config.streamedTypes?.includes(type) === true;
}
