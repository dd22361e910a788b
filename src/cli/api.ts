import type { Credentials } from '../client/authorization.ts';
import { authorization } from '../client/authorization.ts';
import { endpoint } from '../client/endpoint.ts';
import { readText, whyNot } from '../client/exchange.ts';
import type { PushFailure } from '../client/pushError.ts';

/** A server as a command knows it. */
export interface Remote {
  readonly url: string;
  readonly credentials: Credentials;
  /** For one request, in ms. */
  readonly timeoutMs: number;
}

/** The server's API could not be asked, or did not give what was asked for. The message is one line. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly reason: Exclude<PushFailure, 'invalid'>;
  readonly status: number | undefined;
  /** What the server says is at fault: a parameter, `id`, `path`. */
  readonly field: string | undefined;

  constructor(
    reason: ApiError['reason'],
    message: string,
    details: { status?: number; field?: string | undefined } & ErrorOptions = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : {});
    this.reason = reason;
    this.status = details.status;
    this.field = details.field;
  }
}

/** A page of the feed is bounded by the server far below this, in characters. */
const ANSWER_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Asks a server's API, at a path below its address. Resolves with the JSON of the answer, `{}` where it is empty. Throws an ApiError. */
export async function ask(
  fetch: typeof globalThis.fetch,
  { url, credentials, timeoutMs }: Remote,
  path: string,
  { method = 'GET', signal }: { method?: 'GET' | 'DELETE'; signal?: AbortSignal } = {},
): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let status: number;
  let text: string | undefined;
  try {
    const response = await fetch(withPath(url, path), {
      method,
      headers: { ...authorization(credentials), accept: 'application/json' },
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    status = response.status;
    text = await readText(response, ANSWER_CHARACTERS_MAX);
  } catch (cause) {
    const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : whyNot(cause, url);
    throw new ApiError('unavailable', `${url}: ${why}`, { cause });
  }
  const json = jsonIn(text);
  if (status >= 200 && status < 300 && json !== undefined) return json;
  throw refusal(url, status, json);
}

function withPath(server: string, path: string): string {
  const [pathname = '', query] = path.split('?', 2);
  const url = endpoint(server, pathname);
  if (query !== undefined) url.search = query;
  return url.href;
}

function refusal(url: string, status: number, json: unknown): ApiError {
  const { error, field } = (json ?? {}) as { error?: unknown; field?: unknown };
  const foreign = `this doesn't look like an answer from oneShotMetricsServer (${status}); check the address`;
  const message = `${url}: ${typeof error === 'string' ? error : foreign}`;
  const details = { status, field: typeof field === 'string' ? field : undefined };
  if (status >= 500 || status === 429) return new ApiError('unavailable', message, details);
  return new ApiError(status === 400 ? 'refused' : 'denied', message, details);
}

function jsonIn(text: string | undefined): unknown {
  if (text === '') return {};
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
