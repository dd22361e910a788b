import type { Entry } from '../core/entry.ts';
import type { SeriesText } from '../core/series.ts';
import { headOf } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import type { Escaping } from './escape.ts';
import { emptyLabels } from './emptyLabels.ts';
import { escaper } from './escape.ts';
import type { Sample } from './exposition.ts';

export interface Shown {
  /** Whether samples carry the entries' own times. */
  readonly timed: boolean;
  readonly escaping: Escaping;
  /** Labels that each series has with an empty value, where it has no other. In order. */
  readonly without: readonly string[];
}

/**
 * Puts together the samples of one metric, by the head that its series share once they are escaped.
 * Families stand in the order of their first entry, and samples in that of the entries.
 */
export function grouped(
  entries: readonly Entry[],
  { escaping, without }: Pick<Shown, 'escaping' | 'without'>,
): IterableIterator<readonly [head: string, samples: readonly Sample[]]> {
  const families = new TextMap<Sample[]>();
  const escapeSeries = escaper(escaping);
  const withEmptyLabels = emptyLabels(without);
  let head: string | undefined;
  let family: Sample[] = [];
  let before: SeriesText | undefined;
  let series = '' as SeriesText;
  for (const entry of entries) {
    if (entry.series !== before) {
      before = entry.series;
      series = withEmptyLabels(escapeSeries(before));
      if (head === undefined || !beginsWith(series, head)) {
        head = headOf(series);
        family = familyOf(families, head);
      }
    }
    family.push({ series, entry });
  }
  return families.entries();
}

/** Whether that is the series' head; told without cutting a text out, since most neighbours are of one metric. */
function beginsWith(series: SeriesText, head: string): boolean {
  if (!series.startsWith(head)) return false;
  const behind = series[head.length];
  return behind === undefined || behind === '{' || behind === ',' || behind === '}';
}

function familyOf(families: TextMap<Sample[]>, head: string): Sample[] {
  const known = families.get(head);
  if (known !== undefined) return known;
  const family: Sample[] = [];
  families.set(head, family);
  return family;
}
