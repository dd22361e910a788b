import type { Monotonic } from '../../core/millis.ts';
import type { BucketRule } from '../../core/tokenBucket.ts';
import { take } from '../../core/tokenBucket.ts';
import { ClientBuckets } from './buckets.ts';
import { TooManyRequestsError } from './errors.ts';

/** Limits for requests that post: so many a second on average, and so many at once. 0 a second is no limit. */
export interface WriteSettings {
  readonly 'limits.perClient': number;
  readonly 'limits.perClientBurst': number;
  readonly 'limits.total': number;
  readonly 'limits.totalBurst': number;
}

/** Bounds how often events are posted, by one client address and in all. */
export class WriteLimits {
  readonly #clients: ClientBuckets | undefined;
  readonly #total: BucketRule | undefined;
  readonly #elapsed: Monotonic;
  #totalFullAt = 0;

  constructor(settings: WriteSettings, elapsed: Monotonic) {
    const perClient = ruleOf(settings['limits.perClient'], settings['limits.perClientBurst']);
    this.#clients = perClient && new ClientBuckets(perClient);
    this.#total = ruleOf(settings['limits.total'], settings['limits.totalBurst']);
    this.#elapsed = elapsed;
  }

  /** Whether there are any. */
  get areSet(): boolean {
    return this.#clients !== undefined || this.#total !== undefined;
  }

  /** Counts a request. Throws a TooManyRequestsError for one too many; that one counts nowhere. */
  pass(address: string): void {
    const now = this.#elapsed();
    const own = this.#clients?.ask(address, now);
    if (own?.passed === false)
      throw new TooManyRequestsError(
        'this address is over limits.perClient',
        own.waitMs,
        'or post several events at once',
      );
    if (this.#total !== undefined) {
      const all = take(this.#total, this.#totalFullAt, now);
      if (!all.passed)
        throw new TooManyRequestsError(
          'all clients together are over limits.total',
          all.waitMs,
          'or post several events at once',
        );
      this.#totalFullAt = all.fullAt;
    }
    own?.keep();
  }
}

function ruleOf(perSecond: number, burst: number): BucketRule | undefined {
  return perSecond === 0 ? undefined : { intervalMs: 1000 / perSecond, burst };
}
