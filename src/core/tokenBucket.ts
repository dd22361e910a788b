/** One request each `intervalMs`, and a burst of so many. A burst of 0 lets nothing through. */
export interface BucketRule {
  readonly intervalMs: number;
  readonly burst: number;
}

/** What came of asking: the bucket as it is afterwards, or how long to wait until it lets one through. */
export type Taken =
  { readonly passed: true; readonly fullAt: number } | { readonly passed: false; readonly waitMs: number };

/** A bucket can't be emptier than empty, but for what is lost by adding fractions. */
const ROUNDING_MS = 1;

/**
 * Takes one token from a bucket. All that a bucket is, is the moment `fullAt` at which it will be full again, in ms of what
 * `now` is of, which must be monotonic: so a client costs one number, and one whose moment has passed costs nothing.
 */
export function take({ intervalMs, burst }: BucketRule, fullAt: number, now: number): Taken {
  if (burst < 1) return { passed: false, waitMs: intervalMs };
  const spanMs = intervalMs * burst;
  // Only a rule that was changed can leave it so. Whoever is refused is not written down, so the next would find the same, for as long as it
  // takes the old rule: one is let through instead, and the bucket is empty by the new one.
  if (fullAt > now + spanMs + ROUNDING_MS) return { passed: true, fullAt: now + spanMs };
  const from = Math.max(fullAt, now);
  const next = from + intervalMs;
  const waitMs = next - now - spanMs;
  return waitMs > 0 ? { passed: false, waitMs } : { passed: true, fullAt: next };
}
