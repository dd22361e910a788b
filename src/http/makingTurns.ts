/** So many are made at once: what is compressed in the thread pool lets others go on. */
const AT_ONCE = 4;

/**
 * Has few answers made at once, whoever asks: what each takes while it is made is counted only when it is there. Clients take turns, so
 * that one that asks a thousand times waits for itself.
 */
export class MakingTurns {
  #running = 0;
  /** Whose turn is next is the first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  async take<Made>(client: string, make: () => Promise<Made>): Promise<Made> {
    if (this.#running < AT_ONCE) this.#running += 1;
    else await this.#turnOf(client);
    try {
      return await make();
    } finally {
      this.#next();
    }
  }

  #turnOf(client: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const others = this.#waiting.get(client);
    if (others === undefined) this.#waiting.set(client, [resolve]);
    else others.push(resolve);
    return promise;
  }

  /** Hands its turn on. */
  #next(): void {
    for (const [client, all] of this.#waiting) {
      const [first, ...rest] = all;
      this.#waiting.delete(client);
      if (rest.length > 0) this.#waiting.set(client, rest);
      first?.();
      return;
    }
    this.#running -= 1;
  }
}
