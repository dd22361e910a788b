/** One request each `intervalMs`, and a burst of so many. A burst of 0 lets nothing through. */
export interface BucketRule {
  readonly intervalMs: number;
  readonly burst: number;
}

/** What came of asking: the bucket as it is afterwards, or how long to wait until it lets one through. */
export type Taken =
  { readonly passed: true; readonly fullAt: number } | { readonly passed: false; readonly waitMs: number };

/**
 * Takes one token from a bucket. All that a bucket is, is the moment `fullAt` at which it will be full again, in ms of the clock that
 * `now` is of: so a client costs one number, and one whose moment has passed costs nothing.
 */
export function take({ intervalMs, burst }: BucketRule, fullAt: number, now: number): Taken {
  if (burst < 1) return { passed: false, waitMs: intervalMs };
  const spanMs = intervalMs * burst;
  // A clock that was set back must not keep anybody out for longer than an empty bucket takes to fill.
  const from = Math.min(Math.max(fullAt, now), now + spanMs);
  const next = from + intervalMs;
  const waitMs = next - now - spanMs;
  return waitMs > 0 ? { passed: false, waitMs } : { passed: true, fullAt: next };
}
