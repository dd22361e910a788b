import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './answers.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { Guard } from './auth/guard.ts';
import type { BodyMemory } from './bodyMemory.ts';
import type { Connections } from './connections.ts';
import type { Readiness } from './healthRoutes.ts';
import type { ServingParts } from './serve.ts';
import { serving } from './serve.ts';
import type { TlsSource } from './tlsServer.ts';
import { createTlsServer } from './tlsServer.ts';

// An import would load all that it has, its WebSocket and with that a client for HTTP too: 25 ms of a start.
const { STATUS_CODES, createServer } = process.getBuiltinModule('node:http');

export interface ServerLimits {
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

/** What a server is made of beside its limits. */
export interface ServerParts {
  readonly limits: ServerLimits;
  readonly placeOf: ServingParts['placeOf'];
  readonly guard: Guard;
  readonly readiness: () => Readiness;
  readonly connections: Connections;
  readonly memory: BodyMemory;
  readonly answers: AnswerMemory;
  readonly tls: TlsSource;
  readonly observeRequest: RequestObserver;
  readonly news: ServerNews;
}

/** The HTTP server with its limits. HTTP/1.1 only: one response at a time on a socket is what evidence rests on. */
export function buildServer(parts: ServerParts): Server {
  const { limits, connections, tls } = parts;
  const options = {
    maxHeaderSize: limits.urlBytesMax + HEADER_BYTES_MAX,
    keepAliveTimeout: limits.keepAliveMs,
    headersTimeout: limits.headTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    // Asked for in requestHead.ts: Node's own refusal says nothing.
    requireHostHeader: false,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
  const { news } = parts;
  const serve = serving({
    ...parts,
    urlBytesMax: limits.urlBytesMax,
    tell: (route, answer, error) => report(news, route, answer, error),
  });
  const server =
    tls.tls === undefined
      ? createServer(options, serve)
      : createTlsServer(options, limits.headTimeoutMs, tls, serve);
  server.on('clientError', (error, socket: Socket) => {
    // What fails in a handshake can't be answered, and what is answered is not answered again.
    if (!connections.has(socket)) socket.destroy();
    else if (connections.isAnswering(socket)) socket.destroySoon();
    else answerBrokenRequest(error, socket);
  });
  // HTTP lets an expectation pass that nobody knows: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  // Who ends its own side behind a request, as `nc -N` does, still reads: it is answered. Node's property, and not in its types.
  Object.assign(server, { httpAllowHalfOpen: true });
  connections.watch(server);
  return server;
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
