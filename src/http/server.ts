import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { RefusedError, TooLargeError, shown } from '../core/errors.ts';
import type { Answer } from './answers.ts';
import { answerOf, answerUnrouted, sendAnswer } from './answers.ts';
import type { BodyMemory } from './bodyMemory.ts';
import type { Connections } from './connections.ts';
import { inflateBodies } from './inflate.ts';
import { SCHEMAS_DESCRIBE } from './openapi.ts';
import type { TlsSource } from './tlsServer.ts';
import { createTlsServer } from './tlsServer.ts';

// An import would load all that it has, its WebSocket and with that a client for HTTP too: 25 ms of a start.
const { STATUS_CODES, createServer } = process.getBuiltinModule('node:http');

export interface ServerLimits {
  readonly bodyBytesMax: number;
  readonly urlBytesMax: number;
  /** A TLS handshake, a request's head, and all of a request must be there within these, in ms. */
  readonly headTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept, in ms. Longer than any scraper stays away: its next request is the proof of delivery. */
  readonly keepAliveMs: number;
}

/** What a request came to, for the server's own metrics. */
export type RequestObserver = (route: string, method: string, status: number) => void;

/** What is worth a line in the server's log. */
export interface ServerNews {
  refused(refusal: { route: string; status: number; field: string | undefined; error: string }): void;
  /** Parts of an accepted webhook could not be used. */
  leftOut(first: { route: string; field: string; error: string }): void;
  failed(error: unknown): void;
}

/** Headers beside the URL. Prometheus sends about 500 bytes. */
export const HEADER_BYTES_MAX = 32 * 1024;
/** How often Node looks for requests that take too long, in ms; they are cut so much later at most. */
const TIMEOUT_CHECK_MS = 1_000;

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
const ENDS_CHUNKED = /(?:^|,)\s*chunked\s*$/i;

/** What a parser's error code means for the client. */
const CLIENT_ERRORS: Record<string, { status: number; error: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: 'the URL and headers are too large; send the labels in a form body',
  },
  HPE_INVALID_URL: {
    status: 400,
    error:
      'the URL contains a byte that must be percent-encoded, such as %C3%BC for ü; send labels in a form body with curl --data-urlencode, which encodes them',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, error: "the request didn't arrive in time; send it again" },
};

/** The HTTP server with its limits and its answers to what no route takes. HTTP/1.1 only: one response at a time on a socket is what evidence rests on. */
export function buildServer(
  limits: ServerLimits,
  connections: Connections,
  observeRequest: RequestObserver,
  news: ServerNews,
  tls: TlsSource,
  bodies: BodyMemory,
): { app: FastifyInstance; server: Server } {
  let server: Server | undefined;
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    exposeHeadRoutes: true,
    schemaController: SCHEMAS_DESCRIBE,
    // Queries are read strictly, by read/form.ts.
    routerOptions: { querystringParser: () => ({}), maxParamLength: limits.urlBytesMax },
    serverFactory: (handle) => {
      // What is left of a connection that was closed for what it sent.
      const handler: typeof handle = (request, response) => {
        if (!request.socket.destroyed) handle(request, response);
      };
      const options = {
        maxHeaderSize: limits.urlBytesMax + HEADER_BYTES_MAX,
        keepAliveTimeout: limits.keepAliveMs,
        headersTimeout: limits.headTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        // Asked for below: Node's own refusal says nothing.
        requireHostHeader: false,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      };
      server =
        tls.tls === undefined
          ? createServer(options, handler)
          : createTlsServer(options, limits.headTimeoutMs, tls, handler);
      return server;
    },
    clientErrorHandler: (error, socket) => {
      // What fails in a handshake can't be answered, and what is answered is not answered again.
      if (!connections.has(socket)) socket.destroy();
      else if (connections.isAnswering(socket)) socket.destroySoon();
      else answerBrokenRequest(error, socket);
    },
    // What the router itself refuses: a path that can't be decoded.
    frameworkErrors: (error, request, reply) => {
      const answer = answerOf(error);
      news.refused({ route: 'none', ...answer, field: answer.field });
      void sendAnswer(request, reply, answer);
    },
  });
  if (server === undefined) throw new Error('fastify did not ask for a server');
  // HTTP lets an expectation pass that nobody knows: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
  const listening = server;
  server.on('checkExpectation', (request, response) => listening.emit('request', request, response));
  // Who ends its own side behind a request, as `nc -N` does, still reads: it is answered. Node's property, and not in its types.
  Object.assign(server, { httpAllowHalfOpen: true });
  connections.watch(server);
  bodies.open(app);
  inflateBodies(app);
  bodies.count(app);

  const routes: { path: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    // A parameter such as :id stands for one segment.
    const path = new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`);
    routes.push({ path, methods: [method].flat() });
  });
  app.addHook('onRequest', (request, reply, done) => {
    // An answer to a pipelined request would wait for the one before it, and be held all the while.
    if (request.method !== 'POST' && reply.raw.socket === null) reply.raw.once('socket', () => done());
    else done();
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new RefusedError('Host', 'the Host header is missing; HTTP/1.1 requires it in every request');
    if (countOf('host', request.raw.rawHeaders) > 1)
      throw new RefusedError('Host', 'Host appears more than once; HTTP/1.1 requires exactly one');
    const coding = request.headers['transfer-encoding'];
    if (coding !== undefined && !ENDS_CHUNKED.test(coding))
      throw new RefusedError(
        'Transfer-Encoding',
        `Transfer-Encoding ${shown(coding)} doesn't end in chunked, so the server can't tell where the body ends; send it chunked, or with a Content-Length`,
      );
    if ((request.raw.url?.length ?? 0) > limits.urlBytesMax) {
      throw new TooLargeError(
        'url',
        `the URL is longer than ${limits.urlBytesMax} bytes; send the labels in a form body`,
      );
    }
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    observeRequest(request.routeOptions.url ?? 'none', request.method, reply.statusCode);
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = answerOf(error);
    report(news, request.routeOptions.url ?? 'none', answer, error);
    return sendAnswer(request, reply, answer);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    return answerUnrouted(request, reply, [
      ...new Set(routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods)),
    ]);
  });
  return { app, server };
}

/** How often a header, in lower case, stands in a request: Node keeps the first of some. */
function countOf(header: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === header.length && rawHeaders[at]?.toLowerCase() === header) count += 1;
  return count;
}

/** Tells of an error that a request was answered with. */
export function report(news: ServerNews, route: string, answer: Answer, error: unknown): void {
  if (answer.status === 500) news.failed(error);
  else news.refused({ route, ...answer, field: answer.field });
}

/** What isn't HTTP never reaches a route; it gets its status all the same, and the connection ends. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const known = CLIENT_ERRORS[error.code ?? ''] ?? {
    status: 400,
    error: 'the request is not valid HTTP/1.1',
  };
  const body = JSON.stringify({ error: known.error });
  socket.end(
    `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status] ?? ''}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
