/** How much the latest run of entries without a refused one weighs against those before it. */
const LATEST_SHARE = 0.25;
/** A request of so much of a run goes through in half of the cases, if refused entries come at random: then each answer tells the most. */
const RUN_SHARE = 0.7;

/**
 * How many entries the next request has. While a receiver takes all, as many as it may. One that is refused has a culprit, which is looked for by
 * halves of it: where one half goes through, it is in the other. Once it is found, the next request is as large as what went through between two of
 * them lately; by doubling from 1, or by a half of a page, each would take twice as many requests.
 */
export class Sizes {
  readonly #max: number;
  #size: number;
  /** The next so many entries have one that is refused, as far as is known. */
  #suspects = 0;
  /** Entries that went through since the last one was found. */
  #run = 0;
  /** The mean of such runs; undefined while nothing is refused. */
  #mean: number | undefined;

  /** `max`: 1 or more. */
  constructor(max: number) {
    this.#max = max;
    this.#size = max;
  }

  get next(): number {
    return this.#suspects > 0 ? Math.ceil(this.#suspects / 2) : this.#size;
  }

  /** So many went through. */
  stored(count: number): void {
    this.#run += count;
    if (this.#suspects > 0) this.#suspects = Math.max(0, this.#suspects - count);
    else this.#size = Math.min(this.#max, this.#size * 2);
    if (this.#run >= this.#max) this.#mean = undefined;
  }

  /** So many were refused together. */
  refused(count: number): void {
    this.#suspects = count;
    // One culprit in all of it, until more of them are found.
    this.#mean ??= count;
  }

  /** One alone was refused. */
  found(): void {
    this.#suspects = 0;
    const mean = this.#mean ?? this.#run;
    this.#mean = mean + (this.#run - mean) * LATEST_SHARE;
    this.#run = 0;
    this.#size = Math.max(1, Math.min(this.#max, Math.round(this.#mean * RUN_SHARE)));
  }

  /** So many were too much for the time that a request may take. */
  tooMany(count: number): void {
    this.#suspects = 0;
    this.#size = Math.max(1, count >>> 1);
  }
}
