/** In how many ways one thing is kept: a fleet of scrapers asks for one, or for two while it is upgraded. */
const WAYS_KEPT = 2;

/** What was made of things that many bodies share, in the ways that were asked for last. It goes with the thing. */
export class Kept<Thing extends object, Made> {
  readonly #made = new WeakMap<Thing, Map<string, Made>>();

  get(thing: Thing, way: string): Made | undefined {
    return this.#made.get(thing)?.get(way);
  }

  set(thing: Thing, way: string, made: Made): void {
    const ways = this.#made.get(thing) ?? new Map<string, Made>();
    this.#made.set(thing, ways);
    const [oldest] = ways.keys();
    if (oldest !== undefined && ways.size === WAYS_KEPT && !ways.has(way)) ways.delete(oldest);
    ways.set(way, made);
  }
}
