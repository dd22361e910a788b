import { isOpenFor } from '../core/fate.ts';
import type { Ranges } from '../core/range.ts';
import type { ScraperRecord } from '../log/scraperRecords.ts';
import type { Scrapers } from './scrapers.ts';
import { SINK_PREFIX } from './scrapers.ts';

/** What is waited for. */
export interface Awaited {
  readonly ranges: Ranges;
  /** The scrapers that are to have them, known by now or later; undefined for all that have an id of their own, one at least. */
  readonly of: readonly string[] | undefined;
  /** What of the entries a scraper is to have, by its id, where that isn't all. */
  readonly meant: ReadonlyMap<string, Ranges>;
}

/** Why a wait ended. */
export type WaitEnd =
  /** Nothing is open any more for those who are waited for: they have it, or never will. */
  | 'settled'
  | 'timeout'
  /** The server stops. */
  | 'stopping'
  /** So many wait already that this one did not begin. */
  | 'full'
  /** Who waited went away. */
  | 'gone';

/** A wait that began. */
export interface Wait {
  readonly ended: Promise<WaitEnd>;
  /** Who waited went away. */
  readonly cancel: () => void;
}

interface Waiter extends Awaited {
  /** The scraper for which it was last found to be open: as long as that one stays where it is, there is nothing to look at. */
  blocker: string;
  readonly end: (end: WaitEnd) => void;
}

/** Stands for a scraper while there is none to wait for. No id is empty. */
const NOBODY = '';

/**
 * Those who wait until events are delivered. Nobody looks again and again: each waits at one scraper for which something is open, and is looked at
 * when the position of that one changes. So a scrape costs no more than those who wait for its scraper.
 */
export class DeliveryWaits {
  readonly #scrapers: Scrapers;
  readonly #max: number;
  readonly #byBlocker = new Map<string, Set<Waiter>>();
  #size = 0;
  #isStopping = false;

  /** `max`: how many may wait. */
  constructor(scrapers: Scrapers, max: number) {
    this.#scrapers = scrapers;
    this.#max = max;
    scrapers.onChanged((id) => this.#changed(id));
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** The scrapers that have ids of their own, may come again, and are to have some of what is waited for: whom those wait for who name none. */
  lasting(awaited: Meant): readonly string[] {
    return Array.from(this.#scrapers.all())
      .filter((record) => isLasting(record) && meantFor(record.id, awaited).length > 0)
      .map(({ id }) => id);
  }

  /** The ids that names stand for: a sink may be called by its name alone, if no scraper has that id. */
  idsOf(names: readonly string[]): readonly string[] {
    const isKnown = (id: string): boolean => this.#scrapers.get(id) !== undefined;
    const ids = names.map((name) =>
      !isKnown(name) && isKnown(SINK_PREFIX + name) ? SINK_PREFIX + name : name,
    );
    return [...new Set(ids)];
  }

  begin(awaited: Awaited, timeoutMs: number): Wait {
    const { promise: ended, resolve } = Promise.withResolvers<WaitEnd>();
    const blocker = this.#blockerOf(awaited);
    const end = endBefore(blocker, this.#isStopping, this.#size >= this.#max);
    if (blocker === undefined || end !== undefined) {
      resolve(end ?? 'settled');
      return { ended, cancel: () => undefined };
    }
    const timer = setTimeout(() => waiter.end('timeout'), timeoutMs);
    const waiter: Waiter = {
      ...awaited,
      blocker,
      end: (how) => {
        if (!this.#remove(waiter)) return;
        clearTimeout(timer);
        this.#size -= 1;
        resolve(how);
      },
    };
    this.#size += 1;
    this.#add(waiter);
    return { ended, cancel: () => waiter.end('gone') };
  }

  /** Ends all waits, and those that come. */
  stop(): void {
    this.#isStopping = true;
    for (const waiters of this.#byBlocker.values()) for (const waiter of waiters) waiter.end('stopping');
  }

  #changed(id: string): void {
    if (this.#size === 0) return;
    this.#lookAt(id);
    const record = this.#scrapers.get(id);
    if (record !== undefined && isLasting(record)) this.#lookAt(NOBODY);
  }

  #lookAt(blocker: string): void {
    const waiters = this.#byBlocker.get(blocker);
    if (waiters === undefined) return;
    const record = this.#scrapers.get(blocker);
    for (const waiter of waiters) {
      // The usual case, without a look at anybody else.
      if (record !== undefined && isOpenFor(record.position, meantFor(blocker, waiter))) continue;
      const next = this.#blockerOf(waiter);
      if (next === undefined) waiter.end('settled');
      else if (next !== blocker) {
        this.#remove(waiter);
        waiter.blocker = next;
        this.#add(waiter);
      }
    }
  }

  /** A scraper for which something is open; undefined if there is none. */
  #blockerOf(awaited: Awaited): string | undefined {
    if (awaited.of !== undefined) {
      return awaited.of.find((id) => {
        const record = this.#scrapers.get(id);
        return record === undefined || isOpenFor(record.position, meantFor(id, awaited));
      });
    }
    let isAny = false;
    for (const record of this.#scrapers.all()) {
      if (!isLasting(record)) continue;
      const ranges = meantFor(record.id, awaited);
      if (isOpenFor(record.position, ranges)) return record.id;
      isAny ||= ranges.length > 0;
    }
    return isAny ? undefined : NOBODY;
  }

  #add(waiter: Waiter): void {
    const waiters = this.#byBlocker.get(waiter.blocker);
    if (waiters === undefined) this.#byBlocker.set(waiter.blocker, new Set([waiter]));
    else waiters.add(waiter);
  }

  /** Whether it was there. */
  #remove(waiter: Waiter): boolean {
    const waiters = this.#byBlocker.get(waiter.blocker);
    if (waiters?.delete(waiter) !== true) return false;
    if (waiters.size === 0) this.#byBlocker.delete(waiter.blocker);
    return true;
  }
}

type Meant = Pick<Awaited, 'ranges' | 'meant'>;

/** What of the entries a scraper is to have. */
function meantFor(id: string, { ranges, meant }: Meant): Ranges {
  return meant.get(id) ?? ranges;
}

function endBefore(blocker: string | undefined, isStopping: boolean, isFull: boolean): WaitEnd | undefined {
  if (blocker === undefined) return 'settled';
  if (isStopping) return 'stopping';
  return isFull ? 'full' : undefined;
}

/** Who is known by an address may be somebody who looked, or an old scraper under a new address. */
function isLasting({ isOneVisit, identifiedBy }: ScraperRecord): boolean {
  return isOneVisit !== true && identifiedBy !== 'address';
}
