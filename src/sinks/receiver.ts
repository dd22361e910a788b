import { readFile } from 'node:fs/promises';
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../core/millis.ts';
import type { Answer, Version } from './answer.ts';
import type { SinkOptions } from './options.ts';
import { retryAfterMs } from './retry.ts';
import { Words } from './words.ts';

// As in http/server.ts: an import would load more.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

/** Of an answer's text so much is kept, and so much is read before its connection is given up, in bytes. */
const TEXT_BYTES_MAX = 1024;
const BODY_BYTES_MAX = 64 * 1024;

const WRITTEN = 'x-prometheus-remote-write-samples-written';

/** Headers of the protocol, https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#protocol */
const OF_VERSION: Record<Version, Readonly<Record<string, string>>> = {
  '2.0': {
    'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    'x-prometheus-remote-write-version': '2.0.0',
  },
  '1.0': {
    'content-type': 'application/x-protobuf',
    'x-prometheus-remote-write-version': '0.1.0',
  },
};

/** The receiver behind a sink. One connection, which is kept; nobody is redirected. */
export class Receiver {
  readonly #options: SinkOptions;
  readonly #agent: string;
  readonly #clock: Clock;
  readonly #words: Words;
  #connection: Agent | undefined;
  #under: ClientRequest | undefined;
  #isClosed = false;

  /** `agent`: what it calls itself. */
  constructor(options: SinkOptions, agent: string, clock: Clock) {
    this.#options = options;
    this.#agent = agent;
    this.#clock = clock;
    this.#words = new Words(options);
  }

  /** Sends one request. Resolves with what came of it, and never rejects. */
  async send(body: Uint8Array, version: Version): Promise<Answer> {
    try {
      if (this.#isClosed) throw new Error('the server is stopping');
      const headers = { ...this.#options.headers, ...(await this.#authorization()), ...OF_VERSION[version] };
      this.#connection ??= await this.#connect();
      const answer = await this.#exchange(body, headers, this.#connection);
      if (answer.kind === 'none') this.#disconnect();
      return answer;
    } catch (error) {
      return { kind: 'none', why: this.#words.of(error), mayHaveArrived: false, isTimeout: false };
    }
  }

  /** Gives up what is under way, and closes the connection, for good. */
  close(): void {
    this.#isClosed = true;
    this.#under?.destroy(new Error('the server is stopping'));
    this.#disconnect();
  }

  /** The next request makes another one, with what is in the files then. */
  #disconnect(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #connect(): Promise<Agent> {
    const kept = { keepAlive: true, maxSockets: 1 };
    if (this.#options.url.protocol === 'http:') return new HttpAgent(kept);
    const { caFile, certFile, keyFile, serverName, insecureSkipVerify } = this.#options.tls;
    const [ca, cert, key] = await Promise.all(
      [caFile, certFile, keyFile].map(async (path) => (path === undefined ? undefined : readFile(path))),
    );
    return new HttpsAgent({
      ...kept,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(serverName !== undefined && { servername: serverName }),
      rejectUnauthorized: !insecureSkipVerify,
    });
  }

  async #authorization(): Promise<Readonly<Record<string, string>>> {
    const { credentials } = this.#options;
    if (credentials === undefined) return {};
    if (credentials.kind === 'basic') {
      const { username, password } = credentials;
      return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    }
    const token =
      credentials.kind === 'bearer'
        ? credentials.token
        : this.#words.hide((await readFile(credentials.path, 'utf8')).trim());
    return { authorization: `Bearer ${token}` };
  }

  #exchange(body: Uint8Array, headers: Readonly<Record<string, string>>, agent: Agent): Promise<Answer> {
    const { url, timeoutMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const options: RequestOptions = {
      method: 'POST',
      agent,
      headers: {
        ...headers,
        'user-agent': this.#agent,
        'content-encoding': 'snappy',
        'content-length': body.length,
      },
    };
    let mayHaveArrived = false;
    let isTimeout = false;
    const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, options);
    this.#under = request;
    const timer = setTimeout(() => {
      isTimeout = true;
      request.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    let isAnswered = false;
    const none = (why: string) => {
      if (!isAnswered) resolve({ kind: 'none', why, mayHaveArrived, isTimeout });
    };
    request.on('socket', (socket) => {
      // What is written goes out once there is a connection.
      if (socket.connecting)
        socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => (mayHaveArrived = true));
      else mayHaveArrived = true;
    });
    request.on('response', (response) => {
      isAnswered = true;
      void this.#read(response).then(resolve);
    });
    request.on('error', (error) => none(this.#words.of(error)));
    request.on('close', () => {
      clearTimeout(timer);
      this.#under = undefined;
      none('the connection was closed before an answer came');
    });
    request.end(body);
    return promise;
  }

  /** The status counts, however the text behind it ends. */
  async #read(response: IncomingMessage): Promise<Answer> {
    const { statusCode = 0, headers } = response;
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        if (bytes < TEXT_BYTES_MAX) chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) break;
      }
    } catch {
      // Cut, or too slow.
    }
    const written = headers[WRITTEN]?.toString() ?? '';
    return {
      kind: 'answered',
      status: statusCode,
      written: /^\d{1,15}$/.test(written) ? Number(written) : undefined,
      retryAfterMs: retryAfterMs(headers['retry-after'], this.#clock()),
      words: this.#words.said(Buffer.concat(chunks)),
    };
  }
}
