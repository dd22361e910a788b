import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** What Node reads a socket by. It is not documented, so nothing here breaks where it is missing. */
interface Handle {
  reading?: boolean;
  readonly readStop?: () => number;
  readonly readStart?: () => number;
}

/** A body of which so many chunks came at once waits for its turn. A read of 64 KiB brings ten thousand that have a byte each. */
const CHUNKS_AT_ONCE = 64;

/**
 * Has connections that are costly to read take turns. In one turn of the event loop, libuv reads up to 2 MiB from each socket; as 300,000
 * chunks of a byte each, or 40,000 short requests, these take seconds. Here a connection stops after the 64 KiB that are being parsed, and
 * one of those that wait goes on in each turn.
 * Source: `uv__read` in https://github.com/libuv/libuv/blob/v1.x/src/unix/stream.c
 */
export class ReadTurns {
  #waiting: { readonly socket: Socket; readonly begin: () => void }[] = [];
  #isPlanned = false;

  /** Reads nothing more from the socket until its turn comes; to be followed by `wait`. */
  hold(socket: Socket): void {
    const handle = handleOf(socket);
    if (handle?.reading !== true || handle.readStop === undefined) return;
    // As Node marks it, so that it starts again whenever Node itself resumes the socket.
    handle.reading = false;
    handle.readStop();
  }

  /** Lets the socket be read again when its turn comes; `begin` is called then. */
  wait(socket: Socket, begin: () => void = () => undefined): void {
    this.#waiting.push({ socket, begin });
    this.#plan();
  }

  /** Watches a body that comes in chunks. */
  pace(request: IncomingMessage): void {
    const { socket } = request;
    let chunks = 0;
    let isWaiting = false;
    const push = request.push.bind(request);
    request.push = (chunk: unknown, encoding?: BufferEncoding) => {
      chunks += 1;
      if (chunks % CHUNKS_AT_ONCE === 0) {
        // Again, where Node has gone on reading in the meantime.
        this.hold(socket);
        if (!isWaiting) this.wait(socket, () => (isWaiting = false));
        isWaiting = true;
      }
      return push(chunk, encoding);
    };
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        next.begin();
        start(next.socket);
      }
      if (this.#waiting.length > 0) this.#plan();
    });
  }
}

function start(socket: Socket): void {
  const handle = handleOf(socket);
  // What Node has paused, it resumes itself.
  if (handle?.reading !== false || socket.isPaused()) return;
  handle.reading = true;
  handle.readStart?.();
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as Socket & { readonly _handle?: Handle | null })._handle ?? undefined;
}
