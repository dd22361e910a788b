import { BoundedMap } from '../core/boundedMap.ts';
import { ownCopy } from '../core/keptText.ts';
import type { Format } from '../render/negotiate.ts';
import { negotiate } from '../render/negotiate.ts';

/** Every version of each program that scrapes has an `Accept` of its own, which it sends each time. */
const KEPT = 32;
const KEPT_LENGTH_MAX = 1_000;

/** Tells the format of a scrape by its `Accept`; what was read once is remembered. */
export class Formats {
  readonly #known = new BoundedMap<string, Format>(KEPT);

  of(accept: string | undefined = ''): Format {
    if (accept.length > KEPT_LENGTH_MAX) return negotiate(accept);
    const known = this.#known.get(accept);
    if (known !== undefined) return known;
    const format = negotiate(accept);
    this.#known.set(ownCopy(accept), format);
    return format;
  }
}
