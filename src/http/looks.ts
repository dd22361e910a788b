import { UnavailableError } from '../core/errors.ts';

/** Pages that are made at once for those who only look: each is made in steps of a millisecond or two, between which others have a turn. */
const AT_ONCE = 4;
/** Those who may wait for their turn: more would wait for longer than most clients do. */
const WAITING_MAX = 64;

/**
 * Those who only look (`peek=true`, the feed) take turns: however many they are, posts, scrapes and health checks wait for the steps of a
 * few of them only.
 */
export class Looks {
  #free = AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  /** Does the work in its turn. Throws an UnavailableError where too many wait. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length === WAITING_MAX)
      throw new UnavailableError('busy', 'too many requests for events right now; try again', 1);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
