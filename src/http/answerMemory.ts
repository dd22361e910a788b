import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Claim, Share } from '../core/memory.ts';
import { memoryFull } from '../core/memory.ts';

/** A smaller answer fits into the kernel's buffer, and is gone at once. */
const COUNTED_BYTES_MIN = 16 * 1024;
/** What is not worth being made where there is room for no more than that. */
const PART_BYTES_MIN = 64 * 1024;

/**
 * Counts what answers hold from when they are made until they have left, or their connection has. Parts that several answers share count
 * once. Scrapes come first: whoever only looks gets the half of the share at most, and is refused where that is taken; a scrape gets a
 * small page even then.
 */
export class AnswerMemory {
  readonly #share: Share;
  /** In how many answers under way each part is. */
  readonly #parts = new Map<Uint8Array, number>();

  constructor(share: Share) {
    this.#share = share;
  }

  /** Opens a claim for what is needed to make an answer. */
  open(response: ServerResponse): Claim {
    const claim = this.#share.claim();
    response.once('close', () => claim[Symbol.dispose]());
    return claim;
  }

  /** Takes room for whoever only looks; returns how much he may use. Throws an UnavailableError where there is little left. */
  takeToLook(claim: Claim, bytesMax: number): number {
    const bytes = claim.takePart(bytesMax, this.#share.bytesMax / 2);
    if (bytes >= Math.min(bytesMax, PART_BYTES_MIN)) return bytes;
    this.#share.refused += 1;
    throw memoryFull('answers under way take up the memory that memory.max leaves for them');
  }

  /** Counts the parts of an answer until it has left. */
  hold(response: ServerResponse, parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      const held = this.#parts.get(part) ?? 0;
      if (held === 0) this.#share.force(part.length);
      this.#parts.set(part, held + 1);
    }
    response.once('close', () => {
      for (const part of parts) this.#release(part);
    });
  }

  /** Counts all other answers that are large. */
  count(app: FastifyInstance): void {
    app.addHook('onSend', (_request, reply, payload, done) => {
      const bytes = payload instanceof Uint8Array || typeof payload === 'string' ? payload.length : 0;
      if (bytes >= COUNTED_BYTES_MIN) this.open(reply.raw).force(bytes);
      done(null, payload);
    });
  }

  #release(part: Uint8Array): void {
    const held = (this.#parts.get(part) ?? 1) - 1;
    if (held > 0) {
      this.#parts.set(part, held);
      return;
    }
    this.#parts.delete(part);
    this.#share.give(part.length);
  }
}
