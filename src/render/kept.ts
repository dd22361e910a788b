import type { Share } from '../core/memory.ts';

/** In how many ways one thing is kept: a fleet of scrapers asks for one, or for two while it is upgraded. */
const WAYS_KEPT = 2;

/** What was made, and counts until it is forgotten. */
interface Counted<Thing extends object> {
  /** Weak: what is gone must not be kept for what was made of it. */
  readonly thing: WeakRef<Thing>;
  readonly way: string;
  readonly bytes: number;
}

interface Made<Thing extends object, T> {
  readonly made: T;
  readonly counted: Counted<Thing>;
}

/**
 * What was made of things that many bodies share, in the ways that were asked for last. It goes with the thing, or when newer ones need
 * its memory.
 */
export class Kept<Thing extends object, T> {
  readonly #share: Share;
  readonly #bytesOf: (made: T) => number;
  readonly #made = new WeakMap<Thing, Map<string, Made<Thing, T>>>();
  /** The oldest first. */
  readonly #counted = new Set<Counted<Thing>>();

  /** `bytesOf`: what something made takes, and what will be made of it. */
  constructor(share: Share, bytesOf: (made: T) => number) {
    this.#share = share;
    this.#bytesOf = bytesOf;
  }

  get(thing: Thing, way: string): T | undefined {
    return this.#made.get(thing)?.get(way)?.made;
  }

  set(thing: Thing, way: string, made: T): void {
    const ways = this.#made.get(thing) ?? new Map<string, Made<Thing, T>>();
    this.#made.set(thing, ways);
    const [oldest] = ways.keys();
    if (ways.has(way)) this.#forget(ways, way);
    else if (oldest !== undefined && ways.size === WAYS_KEPT) this.#forget(ways, oldest);
    const bytes = this.#bytesOf(made);
    if (!this.#makeRoom(bytes)) return;
    const counted = { thing: new WeakRef(thing), way, bytes };
    this.#counted.add(counted);
    ways.set(way, { made, counted });
  }

  /** Forgets the oldest until there is room; false where there never will be. */
  #makeRoom(bytes: number): boolean {
    if (bytes > this.#share.bytesMax) return false;
    for (const counted of this.#counted) {
      const { thing, way } = counted;
      if (this.#share.room >= bytes) break;
      const gone = thing.deref();
      const ways = gone === undefined ? undefined : this.#made.get(gone);
      if (ways !== undefined) {
        this.#forget(ways, way);
        continue;
      }
      this.#counted.delete(counted);
      this.#share.give(counted.bytes);
    }
    return this.#share.take(bytes);
  }

  #forget(ways: Map<string, Made<Thing, T>>, way: string): void {
    const { counted } = ways.get(way) ?? {};
    if (counted === undefined) return;
    ways.delete(way);
    if (this.#counted.delete(counted)) this.#share.give(counted.bytes);
  }
}
