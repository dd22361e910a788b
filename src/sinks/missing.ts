import type { Offset } from '../core/offset.ts';

/**
 * Counts what a receiver of 2.0 did not write of a request that it refused in part, while it is found out by smaller requests which samples these
 * were. It refuses some of those that it has, too, when they come again: Prometheus without an out-of-order window does, for a sample that
 * has a later one of its series behind it. So no more count as dropped than were missing.
 */
export class Missing {
  #upTo = 0;
  #left = 0;

  /** A request up to an offset was refused, and so many of its samples were not written. A part of one that is looked into changes nothing. */
  begin(upTo: Offset, count: number): void {
    if (upTo <= this.#upTo) return;
    this.#upTo = upTo;
    this.#left = count;
  }

  /** Whether all that were missing are found, so that one that is refused alone up to an offset is there. Counts it, if not. */
  isFound(upTo: Offset): boolean {
    if (upTo > this.#upTo) return false;
    if (this.#left === 0) return true;
    this.#left -= 1;
    return false;
  }

  /** All up to an offset is settled. */
  passed(upTo: Offset): void {
    if (upTo >= this.#upTo) this.#upTo = 0;
  }
}
