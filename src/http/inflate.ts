import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { RefusedError, TooLargeError, UnsupportedError, shown } from '../core/errors.ts';
import { hasBody, isStreamed } from './bodyMemory.ts';

/** How many times its own length a compressed body may have, beyond RATIO_FREE_BYTES. Events that repeat reach some 50. */
const RATIO_MAX = 100;
/** Short bodies may be as repetitive as they like: the bound on their length suffices. */
const RATIO_FREE_BYTES = 1024 * 1024;

const TRUNCATED = 'the compressed body is incomplete; send all of it';
/** What a decompressor takes for itself: its window, and its buffers. */
const GUNZIP_BYTES = 64 * 1024;

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
    done(null, inflated(payload, bytesMax, ratioMax));
  });
}

/** The body out of its coding. Nothing is read, and no memory taken, before somebody reads from it. */
function inflated(source: Readable, bytesMax: number, ratioMax: number): Inflated {
  let bytesIn = 0;
  const body = Readable.from(
    inflate(source, bytesMax, ratioMax, (bytes) => (bytesIn += bytes)),
    { objectMode: false },
  );
  // Fastify stops listening when it has answered; what fails after that concerns nobody.
  body.on('error', () => undefined);
  return Object.defineProperty(body, 'receivedEncodedLength', { get: () => bytesIn }) as Inflated;
}

async function* inflate(
  source: Readable,
  bytesMax: number,
  ratioMax: number,
  came: (bytes: number) => number,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  let bytesIn = 0;
  let bytesOut = 0;
  const count = (chunk: Buffer) => void (bytesIn = came(chunk.length));
  // A client that goes away ends its body by this event only.
  const cut = () => gunzip.destroy(new RefusedError('body', TRUNCATED));
  source.on('data', count).once('error', cut).once('aborted', cut).pipe(gunzip);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytesOut += chunk.length;
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
      yield chunk;
    }
    if (gunzip.bytesWritten < bytesIn)
      throw new RefusedError(
        'body',
        'there is more data after the compressed body; send nothing after its end',
      );
  } catch (error) {
    throw refusal(error);
  } finally {
    source.off('data', count).off('error', cut).off('aborted', cut).unpipe(gunzip);
    gunzip.destroy();
    // What is left of the body is read past, so that the answer reaches a client that is still sending.
    source.resume();
  }
}

/** An error of zlib's as the client is to see it. Sources: the codes of https://nodejs.org/api/zlib.html#zlib-constants */
function refusal(error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'Z_BUF_ERROR':
      return new RefusedError('body', TRUNCATED);
    case 'Z_DATA_ERROR':
    case 'Z_NEED_DICT':
      return new RefusedError('body', 'the body is not valid gzip, but Content-Encoding says it is');
    default:
      return error;
  }
}
