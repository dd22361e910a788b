import type { Entry } from './entry.ts';
import type { Offset } from './offset.ts';
import type { SeriesText } from './series.ts';

/**
 * Leaves each series once, with its last event; series stand in the order of their first. For untimed scrapes: they can show one
 * value of a series, and Prometheus would keep the first of several. Ends say nothing there, and are left out.
 */
export function collapseLast(entries: readonly Entry[]): readonly Entry[] {
  const last = new Map<SeriesText, Entry>();
  for (const entry of entries) if (entry.kind === 'event') last.set(entry.series, entry);
  return last.size === entries.length ? entries : [...last.values()];
}

/** What an untimed scrape shows of several events of one series. */
export type CollapseHow = 'last' | 'sum' | 'count' | 'spread';

/** What is shown of some entries, and which of them that settles. */
export interface Collapsed {
  readonly shown: readonly Entry[];
  /** Offsets in order; what they leave out is for a later scrape. */
  readonly covered: readonly Offset[] | 'all';
  /** Events that are covered and not shown. */
  readonly collapsed: number;
}

/**
 * Leaves each series once, as a scrape without timestamps must: its last event, one with the sum of the values or with their number, or
 * (`spread`) its first event, the others being left for later scrapes.
 */
export function collapse(how: CollapseHow, entries: readonly Entry[]): Collapsed {
  if (how === 'spread') return spread(entries);
  const last = collapseLast(entries);
  if (last === entries)
    return { shown: how === 'count' ? last.map(asCount(new Map())) : last, covered: 'all', collapsed: 0 };
  const ends = entries.reduce((sum, { kind }) => sum + (kind === 'end' ? 1 : 0), 0);
  const collapsed = entries.length - ends - last.length;
  if (how === 'last') return { shown: last, covered: 'all', collapsed };
  const totals = new Map<SeriesText, number>();
  for (const { kind, series, value } of entries) {
    if (kind === 'event') totals.set(series, (totals.get(series) ?? 0) + (how === 'sum' ? value : 1));
  }
  return { shown: last.map(asCount(totals)), covered: 'all', collapsed };
}

/** Puts a series' total in place of its event's value; 1 where there is none. */
function asCount(totals: ReadonlyMap<SeriesText, number>): (entry: Entry) => Entry {
  return (entry) => ({ ...entry, value: totals.get(entry.series) ?? 1 });
}

function spread(entries: readonly Entry[]): Collapsed {
  const first = new Set<SeriesText>();
  const shown: Entry[] = [];
  const covered: Offset[] = [];
  for (const entry of entries) {
    if (entry.kind === 'event') {
      if (first.has(entry.series)) continue;
      first.add(entry.series);
      shown.push(entry);
    }
    covered.push(entry.offset);
  }
  return { shown, covered, collapsed: 0 };
}
