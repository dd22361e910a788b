import {
  RefusedError,
  SeriesLimitError,
  TooLargeError,
  UnauthorizedError,
  UnavailableError,
  UnsupportedError,
  shown,
} from '../core/errors.ts';
import { ForeignPageError, MisdirectedError } from './browsers/errors.ts';
import { pathOf } from './router.ts';
import { PasswordsWaitingError } from '../access/error.ts';
import type { Exchange } from './exchange.ts';
import { ForbiddenError, TooManyRequestsError, UnauthenticatedError } from './auth/errors.ts';

/** An error as a client sees it. */
export interface Answer {
  readonly status: number;
  readonly error: string;
  readonly field?: string;
  readonly retryAfterSeconds?: number;
  /** For `WWW-Authenticate`, one each. */
  readonly challenges?: readonly string[];
}

/** The one place where errors become status codes. */
export function answerOf(error: unknown): Answer {
  if (error instanceof TooLargeError)
    return { status: error.field === 'url' ? 414 : 413, error: error.message, field: error.field };
  if (error instanceof SeriesLimitError) {
    const { message, field, retryAfterSeconds } = error;
    return { status: 429, error: message, field, retryAfterSeconds };
  }
  if (error instanceof UnsupportedError) return { status: 415, error: error.message, field: error.field };
  if (error instanceof UnauthorizedError) return { status: 401, error: error.message, field: error.field };
  if (error instanceof RefusedError) return { status: 400, error: error.message, field: error.field };
  if (error instanceof UnavailableError) {
    return { status: 503, error: error.message, retryAfterSeconds: error.retryAfterSeconds };
  }
  if (error instanceof TooManyRequestsError || error instanceof PasswordsWaitingError)
    return { status: 429, error: error.message, retryAfterSeconds: error.retryAfterSeconds };
  if (error instanceof UnauthenticatedError)
    return { status: 401, error: error.message, field: 'Authorization', challenges: error.challenges };
  if (error instanceof ForbiddenError)
    return { status: 403, error: error.message, field: 'Authorization', challenges: error.challenges };
  if (error instanceof ForeignPageError) return { status: 403, error: error.message, field: error.field };
  if (error instanceof MisdirectedError) return { status: 421, error: error.message, field: 'Host' };
  return { status: 500, error: 'internal error; see the server log' };
}

/** A name that an error repeats may hold them, and the error is one line. */
const LINE_BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** The response that tells of an error, but for its challenges: JSON, or plain text to those who ask for that. */
export function responseOf(
  answer: Answer,
  accept: string | undefined,
): { readonly headers: readonly (readonly [name: string, value: string])[]; readonly body: string } {
  const retry: readonly (readonly [string, string])[] =
    answer.retryAfterSeconds === undefined ? [] : [['retry-after', String(answer.retryAfterSeconds)]];
  const { error, field } = answer;
  const [type, body] = wantsPlainText(accept)
    ? ['text/plain', `${error.replaceAll(LINE_BREAKS, ' ')}\n`]
    : ['application/json', JSON.stringify(field === undefined ? { error } : { error, field })];
  return {
    headers: [
      ['vary', 'Accept'],
      ['cache-control', 'no-store'],
      ...retry,
      ['content-type', `${type}; charset=utf-8`],
    ],
    body,
  };
}

/** Sends an error. */
export function sendAnswer(exchange: Exchange, answer: Answer): void {
  const { headers, body } = responseOf(answer, exchange.request.headers.accept);
  if (answer.challenges !== undefined && answer.challenges.length > 0)
    exchange.header('www-authenticate', answer.challenges);
  for (const [name, value] of headers) exchange.header(name, value);
  exchange.status(answer.status).send(body);
}

function wantsPlainText(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('text/plain') && !accept.includes('application/json');
}

/** 404 for a path that is not there, 405 with `Allow` for one that is there for other methods. */
export function answerUnrouted(exchange: Exchange, allowed: readonly string[]): void {
  const { url = '', method = '' } = exchange.request;
  const path = shown(pathOf(url));
  if (allowed.length === 0) {
    sendAnswer(exchange, { status: 404, error: `${path} not found; see / for what there is`, field: 'path' });
    return;
  }
  sendAnswer(exchange.header('Allow', allowed.join(', ')), {
    status: 405,
    error: `${method} is not allowed at ${path}; use ${allowed.join(' or ')}`,
    field: 'method',
  });
}
