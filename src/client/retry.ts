/** How long and how often sending is tried. Times are in ms. */
export interface RetryLimits {
  /** One attempt: the connection, the request and its answer. */
  readonly attemptMs: number;
  /** All attempts and the waits between them. */
  readonly totalMs: number;
  readonly attemptsMax: number;
  /** The first wait; it doubles with each attempt. */
  readonly firstDelayMs: number;
  readonly delayMaxMs: number;
}

export const RETRY: RetryLimits = {
  attemptMs: 10_000,
  totalMs: 30_000,
  attemptsMax: 10,
  firstDelayMs: 200,
  delayMaxMs: 5_000,
};

/** A server that asks for more than this is asked again earlier, in ms. */
const RETRY_AFTER_MAX_MS = 60_000;

/**
 * How long to wait after attempt number `attempt` (from 1 on): doubled each time, and half of it at random, so that many who failed together don't
 * come back together. Never earlier than the server asked for.
 */
export function delayAfter(
  attempt: number,
  retryAfterMs: number | undefined,
  limits: RetryLimits,
  random: () => number,
): number {
  const most = Math.min(limits.delayMaxMs, limits.firstDelayMs * 2 ** (attempt - 1));
  const delay = most / 2 + (most / 2) * random();
  return Math.ceil(Math.max(delay, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)));
}

/**
 * The header `Retry-After` in ms: seconds, or a date. Undefined where it says nothing that can be read.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
