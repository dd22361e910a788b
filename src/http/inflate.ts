import { Readable } from 'node:stream';
import { RefusedError, TooLargeError, UnsupportedError, shown } from '../core/errors.ts';
import { hasBody } from './bodyMemory.ts';
import { ClientTurns } from './clientTurns.ts';
import type { BodyRule } from './endpointRule.ts';
import type { Exchange } from './exchange.ts';
import { GUNZIP_BYTES, Gunzip, PIECE_BYTES } from './gunzip.ts';
import { whenClosed } from './whenClosed.ts';

/** How many times its own length a compressed body may have, beyond RATIO_FREE_BYTES. Events that repeat reach some 50. */
const RATIO_MAX = 100;
/** Short bodies may be as repetitive as they like: the bound on their length suffices. */
const RATIO_FREE_BYTES = 1024 * 1024;

const TRUNCATED = 'the compressed body is incomplete; send all of it';

/** Takes gzip as `Content-Encoding` of every body. Any other coding is refused. */
export class BodyInflater {
  readonly #turns = new ClientTurns();

  /** A body out of its coding. Throws an UnsupportedError for a coding that is not taken. */
  inflated(exchange: Exchange, { bytesMax, isRepetitive }: BodyRule): Readable {
    const { request, response, memory } = exchange;
    const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (!hasBody(request) || coding === 'identity') return request;
    if (coding !== 'gzip' && coding !== 'x-gzip') {
      exchange.header('Accept-Encoding', 'gzip');
      throw new UnsupportedError(
        'Content-Encoding',
        `unsupported Content-Encoding ${shown(coding)}; send the body as gzip or uncompressed`,
      );
    }
    memory?.take(GUNZIP_BYTES);
    const ratioMax = isRepetitive === true ? Infinity : RATIO_MAX;
    const { client } = exchange;
    const body = inflated(request, { bytesMax, ratioMax, enter: () => this.#turns.enter(client) });
    // A turn that nobody reads on in would never end.
    whenClosed(response, () => body.destroy());
    return body;
  }
}

interface Inflating {
  readonly bytesMax: number;
  readonly ratioMax: number;
  /** Waits for the turn of the body's client. */
  readonly enter: () => Promise<Disposable>;
}

/** The body out of its coding. Nothing is read, and no memory taken, before somebody reads from it. */
function inflated(source: Readable, how: Inflating): Readable {
  const body = Readable.from(inflate(source, how), { objectMode: false, highWaterMark: PIECE_BYTES });
  // Its reader stops listening when it has an answer; what fails after that concerns nobody.
  body.on('error', () => undefined);
  return body;
}

/**
 * Few bodies are decompressed at once, and of each what has come: a thousand that grow by a megabyte each would be garbage faster than it
 * is collected.
 */
async function* inflate(source: Readable, { bytesMax, ratioMax, enter }: Inflating): AsyncGenerator<Buffer> {
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
      bytesIn += chunk.length;
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
