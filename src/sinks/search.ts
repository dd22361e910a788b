import type { Ranges } from '../core/range.ts';
import { NONE, size, without } from '../core/range.ts';

/**
 * Looks into a request that was refused, by smaller ones, until those of its entries that are refused stand alone.
 *
 * A receiver refuses some of what it has, too, when it comes again: Prometheus without an out-of-order window does, for a sample that has a later
 * one of its series behind it. One of 2.0 says how many samples it has written. So the others are those that it lacks, except for as many as an
 * earlier request may have brought; and once all of them were refused alone, whatever else is refused is there. Which is which isn't
 * known, but how many are of each kind.
 */
export class Search {
  /** Entries of the request that are not settled yet, as far as it knows. */
  #left: Ranges = NONE;
  /** Samples that the receiver surely lacks, and those that it refused, but may have had; undefined where it doesn't say. */
  #counts: { missing: number; doubted: number } | undefined;

  /** Entries that the next request may have at most, so that it has no others than these. */
  get eventsMax(): number {
    return this.#left.length === 0 ? Infinity : size(this.#left);
  }

  /** A request of some entries is to be made. With others than its own, some of its own were dropped or forgotten; then it is over, and tells nothing. */
  come(entries: Ranges): void {
    if (without(entries, this.#left).length === 0) return;
    this.#left = NONE;
    this.#counts = undefined;
  }

  /**
   * A request of these entries was refused. `unwritten`: how many of its samples were not written, if the receiver said so; `perhaps`: how many of
   * its entries an earlier one may have brought. A part of one that is looked into tells nothing new.
   */
  begin(entries: Ranges, unwritten: number | undefined, perhaps: number): void {
    if (this.#left.length > 0) return;
    this.#left = entries;
    const doubted = Math.min(unwritten ?? 0, perhaps);
    this.#counts = unwritten === undefined ? undefined : { missing: unwritten - doubted, doubted };
  }

  /** What it says that one entry is refused alone. */
  refusedAlone(): 'missing' | 'refused' | 'stored' {
    if (this.#left.length === 0 || this.#counts === undefined) return 'refused';
    if (this.#counts.missing > 0) {
      this.#counts.missing -= 1;
      return 'missing';
    }
    if (this.#counts.doubted === 0) return 'stored';
    this.#counts.doubted -= 1;
    return 'refused';
  }

  /** These entries are settled, stored or refused alone. */
  settled(entries: Ranges): void {
    this.#left = without(this.#left, entries);
  }
}
