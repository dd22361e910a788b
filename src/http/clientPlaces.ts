/** Places that clients take for as long as they want; one client may have only some of them, so that there are some for others. */
export class ClientPlaces {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  /** `max`: how many one client may have. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place, to be disposed of; undefined where the client has as many as it may. */
  take(client: string): Disposable | undefined {
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= this.#max) return undefined;
    this.#taken.set(client, taken + 1);
    return { [Symbol.dispose]: () => this.#release(client) };
  }

  #release(client: string): void {
    const left = (this.#taken.get(client) ?? 0) - 1;
    if (left > 0) this.#taken.set(client, left);
    else this.#taken.delete(client);
  }
}
