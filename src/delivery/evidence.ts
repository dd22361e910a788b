/**
 * What was seen of an offer. Only the next request on the same socket proves that the response was read to its end; the rest
 * is judged by the table in `settling.ts`.
 */
export type Evidence =
  /** The next request arrived on the socket that carried the response. */
  | 'nextRequest'
  /** The socket was reset: bytes were left unread. */
  | 'reset'
  /** The client ended the connection, and not because its scrape timed out. */
  | 'cleanEnd'
  /** The client ended the connection close to its scrape timeout: it may have given up. */
  | 'doubtfulEnd'
  /** The connection went without a word from the client: this side closed it. */
  | 'closed'
  /** The scraper came on another socket. */
  | 'elsewhere'
  /** Nothing was seen until the lease ended. */
  | 'leaseOver'
  /** The server started anew, and all sockets are gone. */
  | 'restart';

/**
 * How far from its announced timeout a client may close and still be doubted: its timer and ours don't start together. A client on a
 * busy machine was seen to give up some 300 ms ahead of a timeout of one second, as this side counts.
 */
const DOUBT_SHARE = 0.1;
const DOUBT_MS_MIN = 500;

/**
 * Judges a client's end of the connection by when it came. A client that gives up closes at the timeout it announced in
 * `X-Prometheus-Scrape-Timeout-Seconds`, counted from its request, both in ms of monotonic time; one that announced none is taken at its word.
 */
export function judgeEnd(
  requestedAt: number,
  endedAt: number,
  timeoutMs: number | undefined,
): 'cleanEnd' | 'doubtfulEnd' {
  if (timeoutMs === undefined) return 'cleanEnd';
  const distance = Math.abs(endedAt - requestedAt - timeoutMs);
  return distance <= Math.max(DOUBT_MS_MIN, timeoutMs * DOUBT_SHARE) ? 'doubtfulEnd' : 'cleanEnd';
}
