import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Principal } from '../access/scopes.ts';
import type { Claim } from '../core/memory.ts';
import { clientOf } from './auth/buckets.ts';
import type { EndpointRule } from './endpointRule.ts';

/** What all exchanges share. */
export interface Shared {
  readonly answers: {
    /** Counts the body of an answer until it has left. */
    count(response: ServerResponse, bytes: number): void;
  };
  readonly bodies: {
    whole(exchange: Exchange): Promise<Uint8Array>;
    stream(exchange: Exchange): Readable;
  };
}

/** A request and its answer: what its row's handler is given. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The row that answers it; undefined where none does. */
  endpoint: EndpointRule | undefined;
  /** The segment of the path that `{id}` stands for. */
  id = '';
  /** Whom the credential proved; undefined where none is asked for. */
  principal: Principal | undefined;
  /** What a request with a body, or with a large head, holds of the memory for bodies, until it is over. */
  memory: Claim | undefined;
  readonly #shared: Shared;
  #status = 200;
  /** Names in lower case. */
  readonly #headers: OutgoingHttpHeaders = {};

  constructor(request: IncomingMessage, response: ServerResponse, shared: Shared) {
    this.request = request;
    this.response = response;
    this.#shared = shared;
  }

  /** For the server's own metrics and its log. */
  get route(): string {
    return this.endpoint?.path ?? 'none';
  }

  /** Who asks, by the socket's address: a header may name any. */
  get client(): string {
    return clientOf(this.request.socket.remoteAddress ?? '');
  }

  /** All of the body. Rejects with what the request is refused for. */
  wholeBody(): Promise<Uint8Array> {
    return this.#shared.bodies.whole(this);
  }

  /** The body as it comes, in bounds of the reader's own. Whoever reads it must read all of it, or `resume` it. */
  bodyStream(): Readable {
    return this.#shared.bodies.stream(this);
  }

  status(status: number): this {
    this.#status = status;
    return this;
  }

  header(name: string, value: string | number | readonly string[]): this {
    this.#headers[name.toLowerCase()] = value as string | number | string[];
    return this;
  }

  type(mediaType: string): this {
    return this.header('content-type', mediaType);
  }

  /** Writes the answer's head, with some more headers; its body is the caller's. */
  writeHead(more: Readonly<OutgoingHttpHeaders> = {}): void {
    this.response.writeHead(this.#status, { ...this.#headers, ...more });
  }

  /** Sends the answer. */
  send(body: string | Uint8Array = ''): void {
    const { response } = this;
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    // https://www.rfc-editor.org/rfc/rfc9110#section-8.6
    if (this.#status !== 204) this.#headers['content-length'] = size;
    this.#shared.answers.count(response, size);
    response.writeHead(this.#status, this.#headers);
    response.end(body);
  }

  /** Sends an object as JSON. */
  json(value: object): void {
    this.type('application/json; charset=utf-8').send(JSON.stringify(value));
  }
}
