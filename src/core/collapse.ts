import type { Entry } from './entry.ts';
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
