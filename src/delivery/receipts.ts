import type { Entry } from '../core/entry.ts';
import { readEventId } from '../core/eventId.ts';
import type { Fate } from '../core/fate.ts';
import { doubted, fatesOf, notSelectedFates } from '../core/fate.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Loop } from '../core/loop.ts';
import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, rangeFrom, without } from '../core/range.ts';
import { entriesOf } from '../core/run.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { IdPlace, Ids } from '../log/ids.ts';
import type { IdentifiedBy } from '../log/scraperRecords.ts';
import type { Pages } from './page.ts';
import type { Scrapers } from './scrapers.ts';
import type { NotSelected } from './notSelected.ts';
import { notSelected } from './notSelected.ts';

/** What an id stands for. */
export type Found =
  | { readonly kind: 'event'; readonly entry: Entry }
  /** The entries that a request of several events brought; ends of pulses may be among them. */
  | { readonly kind: 'several'; readonly ranges: Ranges }
  /** The id is known, and its event is no longer in the log, or can't be read. */
  | { readonly kind: 'gone' }
  /** The id is known, and not which event it belongs to. */
  | { readonly kind: 'noPlace' }
  | { readonly kind: 'none' };

/** What has become of some entries for one scraper. */
export interface ScraperFate {
  readonly id: string;
  /** Undefined where no scraper of that id is known. */
  readonly identifiedBy: IdentifiedBy | undefined;
  readonly fates: readonly Fate[];
  /** Of a sink: why its receiver takes nothing now. */
  readonly failing?: string | undefined;
}

/** One entry. */
const ONE: PageLimits = { eventsMax: 1, bytesMax: 1 };

/** Tells where an event is: what it is, and what each scraper has of it. Changes nothing. */
export class Receipts {
  readonly #log: Pick<EntryLog, 'state'> & Ids;
  readonly #pages: Pages;
  readonly #scrapers: Scrapers;
  readonly #loop: Loop;
  readonly #failing: (id: string) => string | undefined;

  /** `failing`: why the sink of an id takes nothing now; undefined for one that does, and for what is no sink. */
  constructor(
    log: Pick<EntryLog, 'state'> & Ids,
    pages: Pages,
    scrapers: Scrapers,
    loop: Loop,
    failing: (id: string) => string | undefined = () => undefined,
  ) {
    this.#log = log;
    this.#pages = pages;
    this.#scrapers = scrapers;
    this.#loop = loop;
    this.#failing = failing;
  }

  /**
   * What an id stands for: that of an event that came without one, or else one of a sender, as it may be remembered, the first that is known. The
   * first kind goes before the second, so that nobody can put an event of theirs in the place of another's.
   */
  async find(id: string, rememberedAs: readonly string[]): Promise<Found> {
    const own = readEventId(id);
    if (own !== undefined) {
      const entry = await this.#read(own.offset);
      if (entry?.kind === 'event' && entry.arrived === own.arrived) return { kind: 'event', entry };
    }
    const known = await this.#log.knownIds(rememberedAs);
    for (const each of rememberedAs) if (known.has(each)) return this.#at(known.get(each));
    return { kind: 'none' };
  }

  async #at(place: IdPlace | undefined): Promise<Found> {
    if (place === undefined) return { kind: 'noPlace' };
    const { first, count } = place;
    if (count > 1) {
      const isGone = first <= this.#log.state().trimmed;
      return isGone ? { kind: 'gone' } : { kind: 'several', ranges: rangeFrom(first, count) };
    }
    const entry = await this.#read(first);
    return entry?.kind === 'event' ? { kind: 'event', entry } : { kind: 'gone' };
  }

  async #read(place: Offset): Promise<Entry | undefined> {
    if (place > this.#pages.end || place <= this.#log.state().trimmed) return undefined;
    const { stretches } = await this.#pages.read(rangeFrom(place, 1), ONE);
    return entriesOf(stretches)[0];
  }

  /** What of some entries is not selected, by the ids of the scrapers that select: a look at each of the entries, if there are any that do. */
  async notSelected(ranges: Ranges): Promise<NotSelected> {
    return notSelected(ranges, this.#pages, this.#scrapers, this.#loop);
  }

  /** What has become of some entries for each scraper that is known, or for those of some ids, known or not. */
  fates(ranges: Ranges, passed: NotSelected, of?: readonly string[]): readonly ScraperFate[] {
    const ids = of ?? Array.from(this.#scrapers.all(), ({ id }) => id);
    return ids.map((id) => {
      const record = this.#scrapers.get(id);
      if (record === undefined) return { id, identifiedBy: undefined, fates: [] };
      const { identifiedBy, position, select } = record;
      const gone = passed.get(id) ?? NONE;
      const fates = fatesOf(position, without(ranges, gone));
      const isDoubted = select !== undefined && this.#scrapers.selectOf(id) === undefined;
      return {
        id,
        identifiedBy,
        fates: [...(isDoubted ? doubted(fates) : fates), ...notSelectedFates(gone)],
        failing: this.#failing(id),
      };
    });
  }
}
