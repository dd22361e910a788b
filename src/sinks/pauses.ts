/** Where a loop waits: for something to do, or for a time, in which nothing wakes it; and until it is over. */
export class Pauses {
  #isWanted = false;
  #isOver = false;
  #wake: (() => void) | undefined;
  #end: (() => void) | undefined;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** There is something to do, now or since it was last waited for. */
  wake(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  /** Nobody waits any more, now or later. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
    this.#end?.();
  }

  async untilWoken(): Promise<void> {
    if (!this.#isWanted && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    this.#isWanted = false;
  }

  /** Waits so many milliseconds, if there are any. */
  async wait(ms: number): Promise<void> {
    if (ms <= 0 || this.#isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#end = resolve;
    await promise;
    this.#end = undefined;
    clearTimeout(timer);
  }
}
