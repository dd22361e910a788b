import type { Socket } from 'node:net';

/** What Node keeps of a stream below a socket. It is not documented, so nothing here breaks where it is missing. */
interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  /** Under TLS: the TCP stream that carries it. */
  readonly _parent?: Handle | null;
}

/**
 * How many bytes have left this process on a socket. What Node itself tells counts a write of 8 MB only when its last byte is gone, so the
 * streams below are asked; without them a slow client of a large answer would seem to stand still.
 */
export function bytesLeft(socket: Socket): number {
  const handle = (socket as Socket & { readonly _handle?: Handle | null })._handle;
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined
    ? socket.bytesWritten - socket.writableLength
    : bytesWritten - writeQueueSize;
}
