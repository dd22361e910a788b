import type { Entry } from '../core/entry.ts';
import type { Offset } from '../core/offset.ts';
import { TextMap } from '../core/textMap.ts';

/** What an untimed scrape shows of several events of one series; the setting is `scrape.collapse`. */
export type CollapseHow = 'last' | 'sum' | 'count' | 'spread';

/** What is shown of some entries, and which of them that settles. */
export interface Collapsed {
  /** Events, each series once; the very list that was given where nothing had to be changed. */
  readonly shown: readonly Entry[];
  /** Offsets in order; what they leave out is for a later scrape. */
  readonly covered: readonly Offset[] | 'all';
  /** Events that are covered and not shown. */
  readonly collapsed: number;
}

/**
 * Leaves each series once, as a scrape without timestamps must: Prometheus would keep the first of several samples and drop the
 * others. Shown is the last event, or one with the sum of the values (as float64 adds them, in the order of the log) or with the
 * number of events; or (`spread`) the first one, the others being left for later scrapes. Series stand in the order of their first
 * event. Ends say nothing in such a scrape: they are covered, and neither shown nor counted.
 */
export function collapse(how: CollapseHow, entries: readonly Entry[]): Collapsed {
  if (how === 'spread') return firstOfEach(entries, 'events');
  const last = collapseLast(entries);
  const shown = how === 'last' ? last : withTotals(how, last, entries);
  return { shown, covered: 'all', collapsed: countEvents(entries) - shown.length };
}

/** Leaves each series once, with its last event, in the order of their first. */
export function collapseLast(entries: readonly Entry[]): readonly Entry[] {
  const last = new TextMap<Entry>();
  for (const entry of entries) if (entry.kind === 'event') last.set(entry.series, entry);
  return last.size === entries.length ? entries : [...last.values()];
}

/** Puts the total of its series into each event. */
function withTotals(
  how: 'sum' | 'count',
  last: readonly Entry[],
  entries: readonly Entry[],
): readonly Entry[] {
  const isTotal = ({ value }: Entry): boolean => how === 'sum' || value === 1;
  if (last === entries && entries.every(isTotal)) return entries;
  const totals = new TextMap<number>();
  for (const { kind, series, value } of entries) {
    if (kind !== 'event') continue;
    const total = totals.get(series);
    const more = how === 'sum' ? value : 1;
    // Not from 0: 0 + -0 is 0, and a single -0 must stay what it is.
    totals.set(series, total === undefined ? more : total + more);
  }
  return last.map((entry) => ({ ...entry, value: totals.get(entry.series) as number }));
}

function countEvents(entries: readonly Entry[]): number {
  let events = 0;
  for (const { kind } of entries) if (kind === 'event') events += 1;
  return events;
}

/** What must stand once: an event may stand beside the end of a pulse of its series where that is not shown. */
export type Once = 'events' | 'samples';

/** Leaves each series once, with its first event (or its first sample); the others are for later scrapes. */
export function firstOfEach(entries: readonly Entry[], once: Once): Collapsed {
  const started = new TextMap<true>();
  const shown: Entry[] = [];
  const covered: Offset[] = [];
  for (const entry of entries) {
    if (once === 'samples' || entry.kind === 'event') {
      if (started.has(entry.series)) continue;
      started.set(entry.series, true);
      shown.push(entry);
    }
    covered.push(entry.offset);
  }
  return {
    shown: shown.length === entries.length ? entries : shown,
    covered: covered.length === entries.length ? 'all' : covered,
    collapsed: 0,
  };
}
