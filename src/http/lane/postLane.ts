import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { RefusedError, SeriesLimitError } from '../../core/errors.ts';
import type { Clock } from '../../core/millis.ts';
import { answerOf, responseOf } from '../answers.ts';
import type { Admission, Asking, Counted } from '../auth/admission.ts';
import { clientOf } from '../auth/buckets.ts';
import type { Connections } from '../connections.ts';
import type { BodyRules } from '../eventBody.ts';
import { readQueryAndForm, readWholeBody } from '../eventBody.ts';
import { readIdempotencyKey } from '../idempotencyKey.ts';
import type { Ingest } from '../../intake/ingest.ts';
import type { IngestReply } from '../ingestReply.ts';
import { replyTo } from '../ingestReply.ts';
import type { RequestObserver, ServerNews } from '../server.ts';
import { report } from '../server.ts';
import { AnswerTexts, JSON_HEADERS } from './answerText.ts';
import type { PlainPost } from './plainPost.ts';
import { PlainPosts } from './plainPost.ts';

export interface PostLaneParts {
  /** Whether posts are taken now; asked for each. */
  readonly isOpen: () => boolean;
  readonly admission: Pick<Admission, 'admit' | 'hasCounted' | 'headers'>;
  /** The row of `POST /event`. */
  readonly endpoint: Asking['endpoint'];
  readonly ingest: Pick<Ingest, 'one' | 'ingest'>;
  readonly rules: Pick<BodyRules, 'pairsMax' | 'stream' | 'plain'>;
  readonly urlBytesMax: number;
  readonly connections: Pick<Connections, 'begun' | 'answered'>;
  readonly observeRequest: RequestObserver;
  readonly news: ServerNews;
  readonly clock: Clock;
}

/** What the connections of a lane share. */
interface Lane extends PostLaneParts {
  readonly server: Server;
  /** Gives a connection to the HTTP server, for good. */
  readonly parse: (socket: Socket) => void;
  readonly texts: AnswerTexts;
}

const ROUTE = '/event';
/** What stands before a URL's parameters. */
const URL_BYTES = '/event?'.length;

/**
 * Puts a lane in front of a server's HTTP parser: events posted by URL alone, or in a small body, which are most of all requests, are
 * recognised by their bytes, stored, and answered as the server would. With the first bytes that are anything else, or that would be
 * refused, a connection goes to the HTTP server as if nobody had looked at it. Not for TLS. Why, and what it can't do:
 * docs/decisions/0032-a-lane-for-plain-posts.md
 */
export function openPostLane(server: Server, parts: PostLaneParts): void {
  // The HTTP server's own is the first: it has it from its making. Others look on.
  const [own] = server.listeners('connection');
  if (own === undefined) throw new Error('the HTTP server does not listen for connections');
  server.off('connection', own as () => void);
  const parse = (socket: Socket) => void Reflect.apply(own, server, [socket]);
  const { clock, admission } = parts;
  const texts = new AnswerTexts(clock, server.keepAliveTimeout, () => admission.headers);
  const lane = { ...parts, server, parse, texts };
  server.on('connection', (socket: Socket) => {
    if (parts.isOpen()) new LaneConnection(socket, lane);
    else parse(socket);
  });
}

/** A socket that fails closes itself. */
const ignore = () => undefined;

/** A connection on which nothing but plain posts came so far. */
class LaneConnection {
  readonly #socket: Socket;
  readonly #lane: Lane;
  readonly #posts = new PlainPosts();
  #isAnswering = false;
  #hasAnswered = false;
  /** The client has ended its side, and may still read. */
  #hasEnded = false;
  /** What came while an answer was due. It may be anything, and is the HTTP server's. */
  readonly #held: Buffer[] = [];

  constructor(socket: Socket, lane: Lane) {
    this.#socket = socket;
    this.#lane = lane;
    const { server } = lane;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('timeout', this.#onTimeout).on('error', ignore);
    socket.setTimeout(server.headersTimeout === 0 ? server.requestTimeout : server.headersTimeout);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isAnswering) {
      this.#held.push(chunk);
      this.#socket.pause();
      return;
    }
    const post = this.#plainPostOf(chunk);
    if (post === undefined) this.#handOver([chunk]);
    else void this.#post(post, chunk);
  };

  /** A plain post that may be taken here; undefined for all else. */
  #plainPostOf(chunk: Buffer): PlainPost | undefined {
    const { isOpen, urlBytesMax, rules } = this.#lane;
    if (!isOpen()) return undefined;
    // Who does not read its answers must not make us hold them; the HTTP server sees to that.
    if (this.#socket.writableLength > 0) return undefined;
    const post = this.#posts.recognise(chunk);
    if (post === undefined || post.query.length + URL_BYTES > urlBytesMax) return undefined;
    const bytesMax = post.format === 'ndjson' ? rules.stream.bytesMax : rules.stream.lineBytesMax;
    return post.body.length > bytesMax ? undefined : post;
  }

  /** Lets a post in, as everywhere. Throws, or rejects with, why it isn't. */
  #admit({ headers }: PlainPost, counted: Counted): unknown {
    const { admission, endpoint } = this.#lane;
    return admission.admit({ method: 'POST', endpoint, headers, socket: this.#socket }, counted);
  }

  get client(): string {
    return clientOf(this.#socket.remoteAddress ?? '');
  }

  /** What becomes of the events of a post. Throws a RefusedError. */
  async #ingest({ format, query, body, headers }: PlainPost): Promise<IngestReply> {
    const { ingest, rules } = this.#lane;
    const key = headers['idempotency-key'] as string | undefined;
    const requestId = key === undefined ? undefined : readIdempotencyKey(key);
    if (format === 'parameters')
      return replyTo(await ingest.one(readQueryAndForm(query, body, rules), requestId, this));
    const { reads, options } = readWholeBody(format, query, body, rules);
    return replyTo(await ingest.ingest(reads, { ...options, requestId, sender: this }), options);
  }

  /** Stores events, and answers. What is refused before anything was stored goes to the HTTP server, which says why. */
  async #post(post: PlainPost, chunk: Buffer): Promise<void> {
    const { connections, admission } = this.#lane;
    const counted = { rate: false, write: false };
    this.#isAnswering = true;
    connections.begun(this.#socket);
    let isAdmitted = false;
    let isRefused = false;
    try {
      const admitted = this.#admit(post, counted);
      if (admitted instanceof Promise) await admitted;
      isAdmitted = true;
      this.#reply(post, await this.#ingest(post));
    } catch (error) {
      // Behind an end nothing can be put back for the HTTP server to read.
      isRefused =
        !this.#hasEnded &&
        (!isAdmitted || (error instanceof RefusedError && !(error instanceof SeriesLimitError)));
      if (!isRefused) this.#answerError(error);
    }
    this.#isAnswering = false;
    connections.answered(this.#socket);
    if (isRefused) admission.hasCounted(this.#socket, counted);
    if (this.#hasEnded) this.#socket.end();
    else if (isRefused) this.#handOver([chunk, ...this.#held]);
    else if (this.#held.length > 0) this.#handOver(this.#held);
  }

  #reply({ format, query }: PlainPost, { status, body, retryAfterSeconds }: IngestReply): void {
    const { texts } = this.#lane;
    const json = JSON.stringify(body);
    // What the URL says to a body may make the answer another one, with texts of the sender's.
    if (format === 'parameters' || query === '') {
      this.#answer(status, texts.success(json, this.#hasEnded));
      return;
    }
    const retry =
      retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)] as const];
    this.#answer(status, texts.of(status, [...retry, ...JSON_HEADERS], json, this.#hasEnded));
  }

  /** By now the event may be counted, if not stored, so nobody else can answer. */
  #answerError(error: unknown): void {
    const answer = answerOf(error);
    report(this.#lane.news, ROUTE, answer, error);
    const { headers, body } = responseOf(answer, undefined);
    const challenges = (answer.challenges ?? []).map((each) => ['www-authenticate', each] as const);
    const { texts } = this.#lane;
    this.#answer(answer.status, texts.of(answer.status, [...challenges, ...headers], body, this.#hasEnded));
  }

  #answer(status: number, answer: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(answer, 'latin1');
    this.#lane.observeRequest(ROUTE, 'POST', status);
    if (this.#hasAnswered) return;
    this.#hasAnswered = true;
    const idleMs = idleMsOf(this.#lane.server);
    if (idleMs > 0) this.#socket.setTimeout(idleMs);
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    if (!this.#isAnswering) this.#socket.end();
  };

  /** Nothing came for too long: a first request is missed, a further one is not. */
  readonly #onTimeout = (): void => {
    if (this.#isAnswering) return;
    if (this.#hasAnswered) {
      this.#socket.destroy();
      return;
    }
    this.#handOver([]);
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    this.#lane.server.emit('clientError', error, this.#socket);
  };

  /** Gives the connection to the HTTP server, which reads these bytes before all that are still to come. */
  #handOver(chunks: readonly Buffer[]): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.readableEnded) return;
    socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('timeout', this.#onTimeout)
      .off('error', ignore);
    socket.setTimeout(0);
    // Put back while it flows, they would be given out before anybody listens.
    socket.pause();
    for (const chunk of chunks.toReversed()) socket.unshift(chunk);
    this.#lane.parse(socket);
    socket.resume();
  }
}

/** How long a server keeps an idle connection, in ms, 0 for ever: it announces the first, and grants the second, which Node has since 24.6. */
function idleMsOf({
  keepAliveTimeout,
  keepAliveTimeoutBuffer = 0,
}: Pick<Server, 'keepAliveTimeout'> & { readonly keepAliveTimeoutBuffer?: number | undefined }): number {
  return keepAliveTimeout === 0 ? 0 : keepAliveTimeout + keepAliveTimeoutBuffer;
}
