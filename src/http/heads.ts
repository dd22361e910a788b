import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Share } from '../core/memory.ts';
import type { Closings } from './closings.ts';

/** What Node keeps of a request that it reads. */
interface Parser {
  readonly socket: Socket | null;
  /** The last request whose head was there. */
  readonly incoming: IncomingMessage | null;
}

/** Node's list of connections, under a symbol of its own. It is not documented, so nothing here breaks where it is missing. */
interface ConnectionsList {
  /** Those on which a request has begun, and has not come whole. */
  readonly active?: () => readonly Parser[];
}

/** Of the share, what heads may take that have not come whole: bodies need the rest. */
const PART = 1 / 2;
/** What may come together with the end of the request before a head, in bytes: a read of a socket brings so much at most. */
const READ_BYTES = 64 * 1024;

/**
 * Counts heads of requests that have not come whole: Node's parser keeps them, and tells of them only when they have. Where they take
 * more than half of the share, the connections with the largest are closed.
 */
export class Heads {
  readonly #share: Share;
  readonly #headBytesMax: number;
  readonly #closings: Closings;
  #held = 0;

  constructor(share: Share, headBytesMax: number, closings: Closings) {
    this.#share = share;
    this.#headBytesMax = headBytesMax;
    this.#closings = closings;
  }

  /**
   * To be called several times a second. `readBefore`: how many bytes had come on a connection when its last request was there.
   */
  weigh(server: Server, readBefore: (socket: Socket) => number): void {
    const open: { readonly socket: Socket; readonly bytes: number }[] = [];
    let held = 0;
    for (const { socket, incoming } of activeOf(server)) {
      if (socket === null || socket.destroyed || incoming?.complete === false) continue;
      const before = readBefore(socket);
      const came = socket.bytesRead - before + (before === 0 ? 0 : READ_BYTES);
      const bytes = Math.min(came, this.#headBytesMax);
      open.push({ socket, bytes });
      held += bytes;
    }
    const bytesMax = this.#share.bytesMax * PART;
    if (held > bytesMax) {
      open.sort((a, b) => b.bytes - a.bytes);
      for (const { socket, bytes } of open) {
        if (held <= bytesMax) break;
        held -= bytes;
        this.#share.refused += 1;
        this.#closings.count('memory', socket.remoteAddress);
        socket.destroy();
      }
    }
    this.#share.force(held - this.#held);
    this.#held = held;
  }
}

function activeOf(server: Server): readonly Parser[] {
  const symbol = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections',
  );
  if (symbol === undefined) return [];
  const list = (server as unknown as Readonly<Record<symbol, ConnectionsList | undefined>>)[symbol];
  return list?.active?.() ?? [];
}
