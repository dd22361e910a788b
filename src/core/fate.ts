import type { Offset } from './offset.ts';
import type { GivenUp, Past, Way } from './past.ts';
import type { Position } from './position.ts';
import type { Ranges } from './range.ts';
import { common, range, size, without } from './range.ts';

/** What has become of an entry for one scraper. */
export type State =
  /** It is among what the scraper will get next. */
  | 'waiting'
  /** It is out in a response of which it isn't known yet whether it was read. */
  | 'onItsWay'
  /** The scraper proved that it has read it. */
  | 'delivered'
  /** Delivered as far as can be told. */
  | 'deliveredWithoutProof'
  /** It was settled with another event of its series, whose sample stood for both. */
  | 'collapsed'
  /** The scraper will never get it: a limit or damage. */
  | 'dropped'
  /** The sink doesn't select it, and will never get it. */
  | 'notSelected'
  /** The scraper began behind it, and will never get it. */
  | 'beforeItsStart'
  /** It is settled, and it is no longer known how. */
  | 'unknown';

/** What has become of some entries. */
export interface Fate {
  readonly state: State;
  /** Of so many of them. */
  readonly count: number;
  /** Of `dropped`: why. */
  readonly reason?: GivenUp;
  /** Of `unknown`: that it was in a scrape that showed one sample for several events. */
  readonly isPerhapsCollapsed?: true;
}

const END = Number.MAX_SAFE_INTEGER as Offset;

const FATES: Record<Way, Omit<Fate, 'count'>> = {
  unproven: { state: 'deliveredWithoutProof' },
  collapsed: { state: 'collapsed' },
  perhapsCollapsed: { state: 'unknown', isPerhapsCollapsed: true },
  backlog_full: { state: 'dropped', reason: 'backlog_full' },
  log_full: { state: 'dropped', reason: 'log_full' },
  damaged: { state: 'dropped', reason: 'damaged' },
  refused: { state: 'dropped', reason: 'refused' },
};

/** What has become of some ranges for a scraper. The counts add up to their size. */
export function fatesOf(position: Position, ranges: Ranges): readonly Fate[] {
  const fates: Fate[] = [];
  let rest = ranges;
  const take = (fate: Omit<Fate, 'count'>, part: Ranges): void => {
    if (rest.length === 0 || part.length === 0) return;
    const count = size(common(rest, part));
    if (count === 0) return;
    rest = without(rest, part);
    fates.push({ ...fate, count });
  };
  const { head, returned, offers, past } = position;
  const back = size(common(rest, returned));
  const beyond = size(common(rest, range(head, END)));
  if (back + beyond > 0) fates.push({ state: 'waiting', count: back + beyond });
  rest = without(without(rest, returned), range(head, END));
  let out = 0;
  for (const offer of offers) {
    out += size(common(rest, offer.ranges));
    rest = without(rest, offer.ranges);
  }
  if (out > 0) fates.push({ state: 'onItsWay', count: out });
  if (past !== undefined) settledWays(past, take);
  take({ state: 'unknown' }, rest);
  return fates;
}

function settledWays(past: Past, take: (fate: Omit<Fate, 'count'>, part: Ranges) => void): void {
  if (past.start !== undefined) take({ state: 'beforeItsStart' }, range(0 as Offset, past.start));
  for (const [way, ranges] of Object.entries(past.ways) as [Way, Ranges][]) take(FATES[way], ranges);
  take({ state: 'delivered' }, range(past.known, END));
}

/** What has become of what a scraper doesn't select; none where there is nothing. */
export function notSelectedFates(ranges: Ranges): readonly Fate[] {
  return ranges.length === 0 ? [] : [{ state: 'notSelected', count: size(ranges) }];
}

/** The fates where a selection was in force that nobody knows any more: what counts as delivered may have been passed over. */
export function doubted(fates: readonly Fate[]): readonly Fate[] {
  return fates.map((fate) => (fate.state === 'delivered' ? { ...fate, state: 'unknown' } : fate));
}

/** Whether something of the ranges is still to be settled for a scraper. */
export function isOpenFor({ head, returned, offers }: Position, ranges: Ranges): boolean {
  const last = ranges.at(-1);
  if (last === undefined) return false;
  if (last.upTo > head || common(ranges, returned).length > 0) return true;
  return offers.some((offer) => common(ranges, offer.ranges).length > 0);
}

const DELIVERED: ReadonlySet<State> = new Set<State>(['delivered', 'deliveredWithoutProof']);

/** Whether all of them were delivered, as far as can be told: all that are selected, and one at least. */
export function areDelivered(fates: readonly Fate[]): boolean {
  const meant = fates.filter(({ state }) => state !== 'notSelected');
  return meant.length > 0 && meant.every(({ state }) => DELIVERED.has(state));
}
