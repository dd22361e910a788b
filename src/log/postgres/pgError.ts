import { UnavailableError } from '../../core/errors.ts';

/** What an error of the driver or of the server says of a statement. */
export type Failure =
  /** The server refused it, and nothing of it is stored. It may work at once, or after a while. */
  | 'again'
  /** The same, for want of room. */
  | 'noRoom'
  /** Nothing of it is stored, and this server takes no statements now: it is a standby, or it starts. */
  | 'elsewhere'
  /** The server refused it as it will refuse it again: rights, a missing table. */
  | 'refused'
  /** What it says can't be: a programmer's error, or somebody else has written. */
  | 'broken'
  /** The connection ended before the answer. */
  | 'unknown';

const RETRY_AFTER_SECONDS = 5;
const MESSAGE_MAX = 200;

/** Codes of https://www.postgresql.org/docs/current/errcodes-appendix.html, or the class that they begin with. */
const FAILURES: Readonly<Record<string, Failure>> = {
  // statement_completion_unknown, which CockroachDB sends for a commit of which it can't tell.
  '40003': 'unknown',
  '40': 'again',
  '55P03': 'again',
  // A client asked for it, or a timeout: the statement was rolled back.
  '57014': 'again',
  '53100': 'noRoom',
  '53': 'elsewhere',
  '25006': 'elsewhere',
  '57P03': 'elsewhere',
  // The server may have been ended while it committed.
  '57': 'unknown',
  '58': 'elsewhere',
  '08': 'unknown',
  XX: 'unknown',
  '22': 'broken',
  '23': 'broken',
};

/** An error that the server sent. */
interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
}

function isServerError(error: unknown): error is ServerError {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[\dA-Z]{5}$/.test(error.code)
  );
}

/** A statement that was not sent, since its connection had ended before. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

export function failureOf(error: unknown): Failure {
  if (error instanceof NotSentError) return 'elsewhere';
  if (!isServerError(error)) return 'unknown';
  const known = FAILURES[error.code] ?? FAILURES[error.code.slice(0, 2)];
  // Whatever ends the session may have come after the commit.
  if (error.severity !== 'ERROR' && known !== 'elsewhere') return 'unknown';
  return known ?? 'refused';
}

/** The server's code, if it is an error of a server. */
export function codeOf(error: unknown): string | undefined {
  return isServerError(error) ? error.code : undefined;
}

/** An error in one line, with its code. No part of the driver puts a password into a message. */
export function messageOf(error: unknown): string {
  // Several addresses of one name were tried.
  const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = isServerError(first) ? ` (${first.code})` : '';
  return `${message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MESSAGE_MAX)}${code}`;
}

/** Says that the database can't be used now; nothing was stored. */
export function away(why: unknown): UnavailableError {
  return new UnavailableError(
    'store_away',
    `the database can't be used now, and nothing was stored: ${messageOf(why)}; send it again later`,
    RETRY_AFTER_SECONDS,
    { cause: why },
  );
}

export function noRoom(cause: unknown): UnavailableError {
  return new UnavailableError(
    'log_full',
    `the database has no room: ${messageOf(cause)}; make room, and the server continues by itself`,
    RETRY_AFTER_SECONDS,
    { cause },
  );
}

export function tooManyWait(): UnavailableError {
  return new UnavailableError(
    'store_away',
    'too much waits for the database, and nothing was stored; send it again later',
    RETRY_AFTER_SECONDS,
  );
}
