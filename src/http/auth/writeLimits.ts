import type { Clock } from '../../core/millis.ts';
import type { BucketRule } from '../../core/tokenBucket.ts';
import { take } from '../../core/tokenBucket.ts';
import { ClientBuckets } from './buckets.ts';
import { TooManyRequestsError } from './errors.ts';

/** Limits for requests that post; undefined where there is none. */
export interface WriteRules {
  readonly perClient: BucketRule | undefined;
  readonly total: BucketRule | undefined;
}

/** Bounds how often events are posted, by one client address and in all. */
export class WriteLimits {
  readonly #clients: ClientBuckets | undefined;
  readonly #total: BucketRule | undefined;
  readonly #clock: Clock;
  #totalFullAt = 0;

  constructor({ perClient, total }: WriteRules, clock: Clock) {
    this.#clients = perClient && new ClientBuckets(perClient);
    this.#total = total;
    this.#clock = clock;
  }

  /** Counts a request. Throws a TooManyRequestsError for one too many; that one counts nowhere. */
  pass(address: string): void {
    const now = this.#clock();
    const own = this.#clients?.ask(address, now);
    if (own?.passed === false)
      throw new TooManyRequestsError(
        'limits.perClient is reached for this address',
        own.waitMs,
        'or post several events at once',
      );
    if (this.#total !== undefined) {
      const all = take(this.#total, this.#totalFullAt, now);
      if (!all.passed)
        throw new TooManyRequestsError(
          'limits.total is reached',
          all.waitMs,
          'or post several events at once',
        );
      this.#totalFullAt = all.fullAt;
    }
    own?.keep();
  }
}
