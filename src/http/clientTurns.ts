import { UnavailableError } from '../core/errors.ts';

/** So many work at once: the thread pool has four threads, and what they do lets others go on. */
const AT_ONCE = 4;

/**
 * Lets few work at once, whoever asks: what each takes meanwhile is counted only when it is there. Clients take turns, so that one that
 * asks a thousand times waits for itself.
 */
export class ClientTurns {
  readonly #waitingMax: number;
  #running = 0;
  #waits = 0;
  /** Whose turn is next is the first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /** `waitingMax`: so many may wait; more would wait for longer than most clients do. */
  constructor(waitingMax = Infinity) {
    this.#waitingMax = waitingMax;
  }

  /** Does work in a turn of its own. Throws an UnavailableError where too many wait. */
  async take<Made>(client: string, make: () => Promise<Made>): Promise<Made> {
    using _turn = await this.enter(client);
    return await make();
  }

  /** Resolves when it is the client's turn, which lasts until what it resolves to is disposed of. Throws as `take` does. */
  async enter(client: string): Promise<Disposable> {
    if (this.#running < AT_ONCE) this.#running += 1;
    else await this.#turnOf(client);
    return { [Symbol.dispose]: () => this.#next() };
  }

  #turnOf(client: string): Promise<void> {
    if (this.#waits === this.#waitingMax)
      throw new UnavailableError('busy', 'too many requests are waiting; try again', 1);
    this.#waits += 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    const others = this.#waiting.get(client);
    if (others === undefined) this.#waiting.set(client, [resolve]);
    else others.push(resolve);
    return promise;
  }

  /** Hands its turn on. */
  #next(): void {
    for (const [client, all] of this.#waiting) {
      const first = all.shift();
      // Behind all others, if it has more to do.
      this.#waiting.delete(client);
      if (all.length > 0) this.#waiting.set(client, all);
      this.#waits -= 1;
      first?.();
      return;
    }
    this.#running -= 1;
  }
}
