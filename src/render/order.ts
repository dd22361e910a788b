import type { Entry } from '../core/entry.ts';
import { TextMap } from '../core/textMap.ts';

/**
 * Puts the entries of each series together, their times ascending; series stand in the order of their first entry. For timed
 * scrapes: Prometheus drops what is older than the sample before it.
 */
export function inSeriesOrder(entries: readonly Entry[]): readonly Entry[] {
  const groups = new TextMap<Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.series);
    if (group === undefined) groups.set(entry.series, [entry]);
    else group.push(entry);
  }
  if (groups.size === entries.length) return entries;
  const ordered: Entry[] = [];
  for (const group of groups.values()) {
    if (group.length > 1) group.sort((a, b) => a.time - b.time);
    for (const entry of group) ordered.push(entry);
  }
  return ordered;
}
