import ipaddr from 'ipaddr.js';
import { BoundedMap } from '../core/boundedMap.ts';
import { UnavailableError, shown } from '../core/errors.ts';
import type { Monotonic } from '../core/millis.ts';
import type { PodDirectory } from './podDirectory.ts';

/** What is asked of the watch here. */
export interface Lookups {
  readonly isSynced: boolean;
  find(address: string): Promise<void>;
}

/** For so long after it was first seen, an address without a pod is asked to come again, in ms: a kubelet tells an address late. */
const GRACE_MS = 15_000;
const RETRY_AFTER_SECONDS = 2;
/** Addresses that are no pod's, remembered so that they are not asked for again and again. */
const STRANGERS_MAX = 1_000;

/**
 * Names scrapers by their pods, so that one keeps its place over a restart, though its address is another. Only names that outlive a pod count,
 * those that a StatefulSet gives.
 *
 * While it can't be told who comes, the scraper is told to come again: taken for another one, it would get events twice or never.
 */
export class PodNames {
  readonly #directory: PodDirectory;
  readonly #lookups: Lookups;
  readonly #elapsed: Monotonic;
  /** When each address without a pod was first seen, oldest first. */
  readonly #strangers = new BoundedMap<string, number>(STRANGERS_MAX);

  constructor(directory: PodDirectory, lookups: Lookups, elapsed: Monotonic) {
    this.#directory = directory;
    this.#lookups = lookups;
    this.#elapsed = elapsed;
  }

  /**
   * `namespace/pod` of a StatefulSet's pod; undefined for any other address. Throws an UnavailableError while that can't be told.
   */
  async nameOf(address: string): Promise<string | undefined> {
    if (isOfThisMachine(address)) return undefined;
    if (!this.#lookups.isSynced) throw untold(address, "the pods haven't been listed yet");
    const known = this.#directory.at(address);
    if (known !== undefined) return known.lasting;
    const firstSeen = this.#firstSeen(address);
    if (this.#elapsed() - firstSeen > GRACE_MS) return undefined;
    try {
      await this.#lookups.find(address);
    } catch (cause) {
      throw untold(address, "the API server doesn't say", cause);
    }
    const found = this.#directory.at(address);
    if (found === undefined) throw untold(address, 'there is no known pod with that address yet');
    this.#strangers.delete(address);
    return found.lasting;
  }

  #firstSeen(address: string): number {
    const before = this.#strangers.get(address);
    if (before !== undefined) return before;
    const now = this.#elapsed();
    this.#strangers.set(address, now);
    return now;
  }
}

/** Such as a forwarded port, or another container of the same pod. */
function isOfThisMachine(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

function untold(address: string, why: string, cause?: unknown): UnavailableError {
  return new UnavailableError(
    'not_ready',
    `can't tell yet which pod ${shown(address)} is: ${why}; scrape again, or set the scraper's id with params: {scraper: [...]}`,
    RETRY_AFTER_SECONDS,
    { cause },
  );
}
