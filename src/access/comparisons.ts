import type { ComparePassword } from './bcrypt.ts';
import { PasswordsWaitingError } from './error.ts';

/** How many comparisons may wait: each takes a tenth of a second and more, so all of them a second or two. */
const WAITING_MAX = 16;
/** How many of them may be of one client. */
const CLIENT_MAX = 8;
const RETRY_AFTER_SECONDS = 1;

interface Waiting {
  readonly password: string;
  readonly hash: string;
  readonly resolve: (same: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Compares passwords one at a time, in turn for each client: who guesses waits for itself. What would wait for long is refused at once, and
 * where all places are taken, whoever has most of them gives one up to a client that has fewer.
 */
export class Comparisons {
  readonly #compare: ComparePassword;
  /** Never empty for a client; whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #count = 0;
  #isRunning = false;

  constructor(compare: ComparePassword) {
    this.#compare = compare;
  }

  /** `beforeWork` is called where there is a place, and may throw. Throws a PasswordsWaitingError, or rejects with one, where there is none. */
  run(client: string, password: string, hash: string, beforeWork: () => void): Promise<boolean> {
    const own = this.#waiting.get(client) ?? [];
    const isFull = this.#count >= WAITING_MAX;
    const [most, crowd] = isFull ? this.#largest() : [client, own];
    if (own.length >= CLIENT_MAX || (isFull && crowd.length < own.length + 2)) throw tooMany();
    beforeWork();
    if (isFull) this.#take(most, crowd.length - 1)?.reject(tooMany());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    own.push({ password, hash, resolve, reject });
    this.#waiting.set(client, own);
    this.#count += 1;
    if (!this.#isRunning) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#next(); next !== undefined; next = this.#next())
      await this.#compare(next.password, next.hash).then(next.resolve, next.reject);
    this.#isRunning = false;
  }

  /** The first of the client whose turn it is, who then has to wait for all others. */
  #next(): Waiting | undefined {
    for (const [client, own] of this.#waiting) {
      const next = this.#take(client, 0);
      if (own.length > 0) {
        this.#waiting.delete(client);
        this.#waiting.set(client, own);
      }
      return next;
    }
    return undefined;
  }

  #take(client: string, place: number): Waiting | undefined {
    const own = this.#waiting.get(client);
    const [taken] = own?.splice(place, 1) ?? [];
    if (taken !== undefined) this.#count -= 1;
    if (own?.length === 0) this.#waiting.delete(client);
    return taken;
  }

  #largest(): readonly [client: string, waiting: readonly Waiting[]] {
    let largest: readonly [string, readonly Waiting[]] = ['', []];
    for (const each of this.#waiting) if (each[1].length > largest[1].length) largest = each;
    return largest;
  }
}

function tooMany(): PasswordsWaitingError {
  return new PasswordsWaitingError(RETRY_AFTER_SECONDS);
}
