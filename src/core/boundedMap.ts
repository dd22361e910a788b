/** A map that remembers no more than so many: one more pushes out the one that was set longest ago. */
export class BoundedMap<Key, Value> {
  readonly #max: number;
  /** The one that was set longest ago is the first. */
  readonly #values = new Map<Key, Value>();

  /** `max`: 1 or more. */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  has(key: Key): boolean {
    return this.#values.has(key);
  }

  /** A key that is set again is the newest. */
  set(key: Key, value: Value): void {
    this.#values.delete(key);
    if (this.#values.size === this.#max)
      for (const oldest of this.#values.keys().take(1)) this.delete(oldest);
    this.#values.set(key, value);
  }

  delete(key: Key): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}
