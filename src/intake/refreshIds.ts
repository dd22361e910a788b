import { UnavailableError } from '../core/errors.ts';
import type { Clock } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Ids } from '../log/ids.ts';

/** An id is refreshed once it is so old, as a part of the window: what is sent every minute costs a write only now and then. */
const REFRESHED_AFTER = 0.1;

/**
 * Keeps ids known for as long as they go on being sent. An alert is sent again for as long as it fires, which may be longer than the
 * window; other senders stop once they are answered.
 */
export class IdRefresher {
  readonly #log: Ids;
  readonly #windowMs: number;
  readonly #clock: Clock;

  constructor(log: Ids, windowMs: number, clock: Clock) {
    this.#log = log;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** Resolves also where the log has no room for it: the ids are known still, and will be sent again. */
  async refresh(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const now = this.#clock();
    try {
      await this.#log.refreshIds(ids, millis(now - this.#windowMs * REFRESHED_AFTER), now);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}
