/** A call that is under way. */
interface Turn {
  /** Of whoever waits for its end; nearly always nobody does. */
  ended: PromiseWithResolvers<void> | undefined;
}

/**
 * Calls that name the same id take turns, in the order in which they came: each waits for those before it. It then finds in the log
 * what became of them, and takes the place of one that failed. A call waits only for earlier ones, so no two wait for each other.
 */
export class Turns {
  /** By id: the last call that names it. */
  readonly #last = new Map<string, Turn>();

  /** How many ids are under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Runs the work once no earlier call names one of its ids any more. */
  async take<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    const turn: Turn = { ended: undefined };
    let before: Promise<void>[] | undefined;
    for (const id of ids) {
      const earlier = this.#last.get(id);
      if (earlier !== undefined && earlier !== turn)
        (before ??= []).push((earlier.ended ??= Promise.withResolvers<void>()).promise);
      this.#last.set(id, turn);
    }
    try {
      if (before !== undefined) for (const earlier of before) await earlier;
      return await work();
    } finally {
      for (const id of ids) if (this.#last.get(id) === turn) this.#last.delete(id);
      turn.ended?.resolve();
    }
  }
}
