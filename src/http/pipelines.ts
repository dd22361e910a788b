import type { Socket } from 'node:net';
import type { Share } from '../core/memory.ts';
import type { ReadTurns } from './readTurns.ts';

/** How many requests of one connection may wait behind the one that is answered. */
const WAITING_MAX = 64;
/** What one takes that waits, in bytes: the objects of Node's and of ours. An estimate. */
const WAITING_BYTES = 4 * 1024;
/** Of the share for bodies, what all that wait may take: nearly nobody pipelines. */
const PART = 1 / 4;

/** What of one connection waits behind the request that is answered. */
export interface Pipeline {
  readonly socket: Socket;
  /** Requests that are not answered, with the one that is answered now. */
  responding: number;
  /** How many of them were counted. */
  waiting: number;
  isHeld: boolean;
}

/**
 * Bounds requests that are sent before the answers to earlier ones are there. A read of 64 KiB brings more than a thousand, and each is an
 * object or ten until it is answered, and an error if it never is. So nothing more is read while one waits, and beyond these bounds the connection is to be closed; who
 * pipelines must be ready for that: https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
export class Pipelines {
  readonly #share: Share;
  readonly #reads: ReadTurns;
  #held = 0;

  constructor(share: Share, reads: ReadTurns) {
    this.#share = share;
    this.#reads = reads;
  }

  /** One more request came behind one that is not answered. False where there is no room for it. */
  add(pipeline: Pipeline): boolean {
    if (pipeline.waiting === WAITING_MAX || this.#held + WAITING_BYTES > this.#share.bytesMax * PART) {
      this.#share.refused += 1;
      return false;
    }
    pipeline.waiting += 1;
    this.#count(1);
    // Once our side has ended, nothing is answered any more: what is awaited is the client's own end.
    if (pipeline.socket.writableEnded) return true;
    if (!pipeline.isHeld) this.#reads.hold(pipeline.socket);
    pipeline.isHeld = true;
    return true;
  }

  /** A request was answered. What came last may still need its body, so it must not wait for itself. */
  answered(pipeline: Pipeline): void {
    const fewer = pipeline.waiting - Math.max(0, pipeline.responding - 1);
    if (fewer > 0) {
      pipeline.waiting -= fewer;
      this.#count(-fewer);
    }
    if (pipeline.responding <= 1) this.release(pipeline);
  }

  /** Has the connection be read again: for its next request, or for the client's end where our side has ended before all was answered. */
  release(pipeline: Pipeline): void {
    if (!pipeline.isHeld) return;
    pipeline.isHeld = false;
    this.#reads.wait(pipeline.socket);
  }

  /** The connection is gone. */
  closed(pipeline: Pipeline): void {
    this.#count(-pipeline.waiting);
    pipeline.waiting = 0;
  }

  #count(requests: number): void {
    this.#held += requests * WAITING_BYTES;
    this.#share.force(requests * WAITING_BYTES);
  }
}

/** What Node parses a connection with. It is not documented, so nothing here breaks where it is missing. */
interface Parser {
  onIncoming?: () => number;
}

/** What tells the parser that what follows is no HTTP. */
const NO_MORE = 2;

/** Has the parser leave the rest of what came: each request in it would be an object, and an error when the connection closes. */
export function parseNoMore(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: Parser | null };
  if (parser?.onIncoming !== undefined) parser.onIncoming = () => NO_MORE;
}
