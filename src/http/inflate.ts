import { Readable } from 'node:stream';
import type { ZlibOptions } from 'node:zlib';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { RefusedError, TooLargeError, UnsupportedError, shown } from '../core/errors.ts';
import { clientOf } from './auth/buckets.ts';
import { hasBody, isStreamed } from './bodyMemory.ts';
import { ClientTurns } from './clientTurns.ts';

/** How many times its own length a compressed body may have, beyond RATIO_FREE_BYTES. Events that repeat reach some 50. */
const RATIO_MAX = 100;
/** Short bodies may be as repetitive as they like: the bound on their length suffices. */
const RATIO_FREE_BYTES = 1024 * 1024;

const TRUNCATED = 'the compressed body is incomplete; send all of it';
/** What comes out in one piece. Smaller buffers would be cut out of one that several bodies share, and that stays while one of them does. */
const PIECE_BYTES = 32 * 1024;
/** What a decompressor takes for itself: its state and window (45 KiB), the piece that it fills, and one that waits to be read. */
const GUNZIP_BYTES = 112 * 1024;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether bodies may be as repetitive as they like: a group of alerts has the same labels a thousand times. Their length is bounded. */
    isRepetitive?: boolean;
  }
}

/** A body as it comes out; Fastify compares what came in with Content-Length. */
type Inflated = Readable & { receivedEncodedLength: number };

/** Takes gzip as `Content-Encoding` of every body, whatever the route. Any other coding is refused. */
export function inflateBodies(app: FastifyInstance): void {
  const turns = new ClientTurns();
  app.addHook('preParsing', (request, reply, payload, done) => {
    const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (!hasBody(request) || coding === 'identity') {
      done(null, payload);
      return;
    }
    if (coding !== 'gzip' && coding !== 'x-gzip') {
      reply.header('Accept-Encoding', 'gzip');
      throw new UnsupportedError(
        'Content-Encoding',
        `unsupported Content-Encoding ${shown(coding)}; send the body as gzip or uncompressed`,
      );
    }
    request.memory?.take(GUNZIP_BYTES);
    const { bodyLimit, config } = request.routeOptions;
    const bytesMax = isStreamed(request) ? Infinity : bodyLimit;
    const ratioMax = config.isRepetitive === true ? Infinity : RATIO_MAX;
    const client = clientOf(request.socket.remoteAddress ?? '');
    done(null, inflated(payload, { bytesMax, ratioMax, enter: () => turns.enter(client) }));
  });
}

interface Inflating {
  readonly bytesMax: number;
  readonly ratioMax: number;
  /** Waits for the turn of the body's client. */
  readonly enter: () => Promise<Disposable>;
}

/** The body out of its coding. Nothing is read, and no memory taken, before somebody reads from it. */
function inflated(source: Readable, how: Inflating): Inflated {
  let bytesIn = 0;
  const body = Readable.from(
    inflate(source, how, (bytes) => (bytesIn += bytes)),
    { objectMode: false, highWaterMark: PIECE_BYTES },
  );
  // Fastify stops listening when it has answered; what fails after that concerns nobody.
  body.on('error', () => undefined);
  return Object.defineProperty(body, 'receivedEncodedLength', { get: () => bytesIn }) as Inflated;
}

/**
 * Few bodies are decompressed at once, and of each what has come: a thousand that grow by a megabyte each would be garbage faster than it
 * is collected.
 */
async function* inflate(
  source: Readable,
  { bytesMax, ratioMax, enter }: Inflating,
  came: (bytes: number) => number,
): AsyncGenerator<Buffer> {
  const gunzip = new Gunzip();
  let bytesIn = 0;
  let bytesOut = 0;
  const checked = (piece: Buffer): Buffer => {
    bytesOut += piece.length;
    if (bytesOut > bytesMax || bytesIn > bytesMax)
      throw new TooLargeError(
        'body',
        `the body is longer than ${bytesMax} bytes, compressed or decompressed; send less at a time or raise the limit`,
      );
    if (bytesOut > RATIO_FREE_BYTES && bytesOut > bytesIn * ratioMax)
      throw new TooLargeError(
        'body',
        `the body decompresses to more than ${ratioMax} times its length; send it uncompressed`,
      );
    return piece;
  };
  try {
    // It is read past its end, or closed, by whoever answers: to destroy it would take the answer along.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytesIn = came(chunk.length);
      using _turn = await enter();
      for await (const piece of gunzip.write(chunk)) yield checked(piece);
    }
    using _turn = await enter();
    for await (const piece of gunzip.end()) yield checked(piece);
    if (gunzip.bytesWritten < bytesIn)
      throw new RefusedError(
        'body',
        'there is more data after the compressed body; send nothing after its end',
      );
  } catch (error) {
    throw refusal(error);
  } finally {
    gunzip.destroy();
    // What is left of the body is read past, so that the answer reaches a client that is still sending.
    source.resume();
  }
}

/** A decompressor that gives out what it makes of each chunk before it takes the next. */
class Gunzip {
  readonly #stream = createGunzip({ chunkSize: PIECE_BYTES, highWaterMark: PIECE_BYTES } as ZlibOptions);
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    this.#stream.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
    this.#stream.on('readable', () => this.#wake());
  }

  get bytesWritten(): number {
    return this.#stream.bytesWritten;
  }

  /** Throws an error of zlib's. */
  write(chunk: Buffer): AsyncGenerator<Buffer> {
    return this.#made((done) => this.#stream.write(chunk, done));
  }

  /** Throws an error of zlib's: where the stream ends too early, too. */
  end(): AsyncGenerator<Buffer> {
    // 'finish' comes before the last of it is there, and before zlib looks whether all is.
    return this.#made((done) => this.#stream.once('end', done).end());
  }

  destroy(): void {
    this.#stream.destroy();
  }

  async *#made(work: (done: (error?: Error | null) => void) => void): AsyncGenerator<Buffer> {
    let isDone = false;
    work((error) => {
      this.#error ??= error ?? undefined;
      isDone = true;
      this.#wake();
    });
    for (;;) {
      const piece = this.#stream.read() as Buffer | null;
      if (piece !== null) yield piece;
      else if (this.#error !== undefined) throw this.#error;
      else if (isDone) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** An error of zlib's as the client is to see it. Sources: the codes of https://nodejs.org/api/zlib.html#zlib-constants */
function refusal(error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'Z_BUF_ERROR':
    // The client went away.
    case 'ECONNRESET':
      return new RefusedError('body', TRUNCATED);
    case 'Z_DATA_ERROR':
    case 'Z_NEED_DICT':
      return new RefusedError('body', 'the body is not valid gzip, but Content-Encoding says it is');
    default:
      return error;
  }
}
