import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

// As in http/server.ts: an import would load more.
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface ApiServerOptions {
  /** Such as https://kubernetes.default.svc. */
  readonly url: string;
  /** Holds the service account's token; read for each request, since tokens are exchanged. Empty sends none. */
  readonly tokenFile: string;
  /** Holds the certificates of who signed the server's. Empty takes the system's. */
  readonly caFile: string;
}

/** No answer of the API server to a list of one page, and no single event, is larger. */
const BODY_BYTES_MAX = 64 << 20;
const LINE_CHARACTERS_MAX = 4 << 20;
/** Until the head of an answer is there, and between two pieces of a body, in ms. A watch is quiet between bookmarks, about a minute apart. */
const ANSWER_MS_MAX = 10_000;
const QUIET_MS_MAX = 120_000;

/** The API server refused, or its answer makes no sense. `status` is 0 where there was none. */
export class ApiServerError extends Error {
  override readonly name = 'ApiServerError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Reads from a Kubernetes API server, as a pod with a service account does. */
export class ApiServer {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  /** Reads one answer. Throws an ApiServerError for anything but 200 and JSON. */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#open(path, signal);
    let text = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > BODY_BYTES_MAX) throw new ApiServerError(200, `${path}: the answer is too large`);
    }
    return parse(path, text);
  }

  /** Yields one JSON value for each line, until the server ends the answer. Throws an ApiServerError as `get` does. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator {
    const answer = await this.#open(path, signal);
    answer.socket.setTimeout(QUIET_MS_MAX, () =>
      answer.destroy(new Error('the API server sent nothing for too long')),
    );
    let rest = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX) throw new ApiServerError(200, `${path}: an event is too large`);
      for (const line of parts) if (line.trim() !== '') yield parse(path, line);
    }
  }

  async #open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, tokenFile, caFile } = this.#options;
    const token = tokenFile === '' ? undefined : (await readFile(tokenFile, 'utf8')).trim();
    const ca = caFile === '' ? undefined : await readFile(caFile, 'utf8');
    const place = new URL(path, url);
    const headers = {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const get =
      place.protocol === 'http:'
        ? httpRequest(place, { headers, signal }, resolve)
        : httpsRequest(place, { headers, signal, ...(ca !== undefined && { ca }) }, resolve);
    get.setTimeout(ANSWER_MS_MAX, () => get.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)));
    get.on('error', reject);
    get.end();
    const answer = await promise;
    if (answer.statusCode === 200) return answer;
    answer.resume();
    throw new ApiServerError(
      answer.statusCode ?? 0,
      `${path.split('?', 1)[0]}: the API server answered ${answer.statusCode}`,
    );
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiServerError(200, `${path}: the answer is not JSON`, { cause });
  }
}
