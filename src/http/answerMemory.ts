import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Claim, Share } from '../core/memory.ts';
import { memoryFull } from '../core/memory.ts';
import { clientOf } from './auth/buckets.ts';
import { whenClosed } from './whenClosed.ts';

/** A smaller answer fits into the kernel's buffer, and is gone at once. */
const COUNTED_BYTES_MIN = 16 * 1024;
/** What is not worth being made where there is room for no more than that. */
const PART_BYTES_MIN = 64 * 1024;

/** An answer that is being sent. */
interface Sending {
  readonly socket: Socket;
  readonly parts: readonly Uint8Array[];
}

/**
 * Counts what answers hold from when they are made until they have left, or their connection has. Parts that several answers share count
 * once. Scrapes come first: whoever only looks gets the half of the share at most, and is refused where that is taken; a scrape gets a
 * small page even then. What is sent must be held whatever there is room for; beyond it, connections are closed: those of the client
 * whose answers hold most, and of these the one that takes longest.
 */
export class AnswerMemory {
  readonly #share: Share;
  /** In how many answers under way each part is. */
  readonly #parts = new Map<Uint8Array, number>();
  /** Oldest first. */
  readonly #sending = new Set<Sending>();
  readonly #cut: (socket: Socket) => void;

  /** `cut` closes a connection at once, with what is on its way on it. */
  constructor(share: Share, cut: (socket: Socket) => void) {
    this.#share = share;
    this.#cut = cut;
  }

  /** Opens a claim for what is needed to make an answer. */
  open(response: ServerResponse): Claim {
    const claim = this.#share.claim();
    whenClosed(response, () => claim[Symbol.dispose]());
    return claim;
  }

  /** Takes room for whoever only looks; returns how much he may use. Throws an UnavailableError where there is little left. */
  takeToLook(claim: Claim, bytesMax: number): number {
    const bytes = claim.takePart(bytesMax, this.#share.bytesMax / 2);
    if (bytes >= Math.min(bytesMax, PART_BYTES_MIN)) return bytes;
    this.#share.refused += 1;
    throw memoryFull('answers in progress use all the memory that memory.max leaves for answers');
  }

  /** Counts the parts of an answer until it has left. */
  hold(response: ServerResponse, parts: readonly Uint8Array[]): void {
    const { socket } = response.req;
    const sending: Sending = { socket, parts };
    this.#sending.add(sending);
    for (const part of parts) {
      const held = this.#parts.get(part) ?? 0;
      if (held === 0) this.#share.force(part.length);
      this.#parts.set(part, held + 1);
    }
    whenClosed(response, () => this.#over(sending));
    if (this.#share.held > this.#share.bytesMax) this.#makeRoom(sending);
  }

  /** The newest is not cut while there is another: it has had no time yet to leave. */
  #makeRoom(newest: Sending): void {
    const clients = new Map<string, { bytes: number; readonly all: Sending[] }>();
    for (const sending of this.#sending) {
      const client = clientOf(sending.socket.remoteAddress ?? '');
      const known = clients.get(client) ?? { bytes: 0, all: [] };
      clients.set(client, known);
      known.bytes += bytesOf(sending);
      if (sending !== newest) known.all.push(sending);
    }
    const greediest = [...clients.values()].sort((a, b) => b.bytes - a.bytes);
    for (const sending of greediest.flatMap(({ all }) => all)) {
      if (this.#share.held <= this.#share.bytesMax) return;
      this.#share.refused += 1;
      this.#over(sending);
      this.#cut(sending.socket);
    }
  }

  #over(sending: Sending): void {
    if (!this.#sending.delete(sending)) return;
    for (const part of sending.parts) this.#release(part);
  }

  /** Counts another answer until it has left, if it is large. */
  count(response: ServerResponse, bytes: number): void {
    if (bytes >= COUNTED_BYTES_MIN) this.open(response).force(bytes);
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

function bytesOf({ parts }: Sending): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
