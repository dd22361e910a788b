import type { Readable } from 'node:stream';
import { RefusedError, TooLargeError } from '../core/errors.ts';
import type { BodyMemory } from './bodyMemory.ts';
import { hasBody } from './bodyMemory.ts';
import type { BodyRule } from './endpointRule.ts';
import type { Exchange } from './exchange.ts';
import { BodyInflater } from './inflate.ts';

/** Reads bodies by the rules of their rows: out of their coding, counted, in bounds. */
export class RequestBodies {
  readonly #memory: BodyMemory;
  readonly #inflater = new BodyInflater();

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** The body as it comes; nothing but its memory is bounded here. */
  stream(exchange: Exchange): Readable {
    const payload = this.#inflater.inflated(exchange, { ...ruleOf(exchange), bytesMax: Infinity });
    this.#memory.watch(exchange, payload);
    return payload;
  }

  /** All of the body. */
  async whole(exchange: Exchange): Promise<Uint8Array> {
    const rule = ruleOf(exchange);
    const { request } = exchange;
    if (!hasBody(request)) return new Uint8Array();
    const payload = this.#inflater.inflated(exchange, rule);
    try {
      if (Number(request.headers['content-length']) > rule.bytesMax) throw tooLarge();
      this.#memory.watch(exchange, payload, 'counted');
      return await read(payload, rule.bytesMax);
    } catch (error) {
      // The rest may be long, and nobody is going to read it.
      exchange.header('Connection', 'close');
      throw error;
    }
  }
}

function ruleOf({ endpoint, route }: Exchange): BodyRule {
  if (endpoint === undefined || endpoint.body === 'none') throw new Error(`${route} takes no body`);
  return endpoint.body;
}

/** A copy: what comes is a view of the buffer that the socket is read into. */
function read(payload: Readable, bytesMax: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let size = 0;
  const add = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size > bytesMax) end(tooLarge());
  };
  const end = (error?: Error): void => {
    payload.off('data', add).off('end', end).off('error', end);
    if (error === undefined) resolve(Buffer.concat(chunks, size));
    else reject(refusal(error));
  };
  payload.on('data', add).on('end', end).on('error', end);
  return promise;
}

function tooLarge(): TooLargeError {
  return new TooLargeError(
    'body',
    'the body is larger than event.bodyMax (for a webhook, webhook.bodyMax); send less at a time or raise the limit',
  );
}

/** The codes of a stream whose sender went away. */
const CUT: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** What an error of a body's stream means for its sender. */
export function refusal(error: unknown): unknown {
  if (!CUT.has((error as NodeJS.ErrnoException).code)) return error;
  return new RefusedError('body', 'the body is incomplete; send it again', { cause: error });
}
