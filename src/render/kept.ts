import type { Share } from '../core/memory.ts';

/** In how many ways one thing is kept: a fleet of scrapers asks for one, or for two while it is upgraded. */
const WAYS_KEPT = 2;

/** What is made ahead may fill so much of all memory. */
const AHEAD_SHARE = 7 / 8;

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
 * its memory: what was made ahead goes first, and what was asked for is never forgotten for it.
 */
export class Kept<Thing extends object, T> {
  readonly #share: Share;
  readonly #bytesOf: (made: T) => number;
  readonly #made = new WeakMap<Thing, Map<string, Made<Thing, T>>>();
  /** What was asked for, the oldest first. */
  readonly #asked = new Set<Counted<Thing>>();
  /** What was made ahead, and nobody has asked for yet; the oldest first. */
  readonly #ahead = new Set<Counted<Thing>>();

  /** `bytesOf`: what something made takes, and what will be made of it. */
  constructor(share: Share, bytesOf: (made: T) => number) {
    this.#share = share;
    this.#bytesOf = bytesOf;
  }

  get(thing: Thing, way: string): T | undefined {
    const found = this.#made.get(thing)?.get(way);
    if (found === undefined) return undefined;
    if (this.#ahead.delete(found.counted)) this.#asked.add(found.counted);
    return found.made;
  }

  /** Whether a thing has this way, or as many others as are kept: there is nothing to be made ahead for it. */
  isComplete(thing: Thing, way: string): boolean {
    const ways = this.#made.get(thing);
    return ways !== undefined && (ways.size === WAYS_KEPT || ways.has(way));
  }

  /** Whether so many bytes may be made ahead: nothing is forgotten for them, and a part is left to what is asked for. */
  hasRoom(bytes: number): boolean {
    const held = () => this.#share.held + bytes;
    const most = this.#share.bytesMax * AHEAD_SHARE;
    if (held() > most) this.#forgetGone();
    return held() <= most;
  }

  /** Keeps what nobody has asked for yet, of a thing that is not complete, and tells whether there is room. */
  setAhead(thing: Thing, way: string, made: T): boolean {
    const bytes = this.#bytesOf(made);
    if (!this.hasRoom(bytes) || !this.#share.take(bytes)) return false;
    this.#keep(this.#ahead, { thing, way, made, bytes });
    return true;
  }

  set(thing: Thing, way: string, made: T): void {
    const ways = this.#made.get(thing);
    if (ways !== undefined) {
      const replaced = ways.get(way) ?? (ways.size === WAYS_KEPT ? oldestOf(ways.values()) : undefined);
      if (replaced !== undefined) this.#forget(replaced.counted);
    }
    const bytes = this.#bytesOf(made);
    if (this.#makeRoom(bytes)) this.#keep(this.#asked, { thing, way, made, bytes });
  }

  #keep(
    where: Set<Counted<Thing>>,
    { thing, way, made, bytes }: { thing: Thing; way: string; made: T; bytes: number },
  ): void {
    const ways = this.#made.get(thing) ?? new Map<string, Made<Thing, T>>();
    this.#made.set(thing, ways);
    const counted = { thing: new WeakRef(thing), way, bytes };
    where.add(counted);
    ways.set(way, { made, counted });
  }

  /** Forgets until there is room; false where there never will be. */
  #makeRoom(bytes: number): boolean {
    if (bytes > this.#share.bytesMax) return false;
    if (this.#share.room < bytes) this.#forgetGone();
    // The newest first: who comes next begins with the oldest.
    if (this.#share.room < bytes) this.#forgetOf([...this.#ahead].toReversed(), bytes);
    if (this.#share.room < bytes) this.#forgetOf(this.#asked, bytes);
    return this.#share.take(bytes);
  }

  #forgetOf(some: Iterable<Counted<Thing>>, bytes: number): void {
    for (const counted of some) {
      if (this.#share.room >= bytes) return;
      this.#forget(counted);
    }
  }

  /** Gives back what was made of things that are gone, as far as these are the oldest. */
  #forgetGone(): void {
    for (const some of [this.#asked, this.#ahead]) {
      for (const counted of some) {
        if (counted.thing.deref() !== undefined) break;
        this.#forget(counted);
      }
    }
  }

  #forget(counted: Counted<Thing>): void {
    const thing = counted.thing.deref();
    if (thing !== undefined) this.#made.get(thing)?.delete(counted.way);
    if (this.#asked.delete(counted) || this.#ahead.delete(counted)) this.#share.give(counted.bytes);
  }
}

function oldestOf<T>(some: Iterable<T>): T | undefined {
  const [oldest] = some;
  return oldest;
}
