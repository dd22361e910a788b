import type { Label, SeriesText } from '../core/series.ts';
import { readSeries } from '../core/series.ts';

/** Makes what reads the labels of a series as remote write sends them: with its name, and with labels that are added where it has none of the name; in the order of their names' bytes. */
export function labelsReader(added: readonly Label[]): (series: SeriesText) => readonly Label[] {
  return (series) => {
    const { metric, labels } = readSeries(series);
    return labelsWith(metric, labels, added);
  };
}

/** The same of what is no series' text. */
export function labelsWith(
  metric: string,
  labels: readonly Label[],
  added: readonly Label[],
): readonly Label[] {
  // An empty label is none, and the specification allows none.
  const all: Label[] = [{ name: '__name__', value: metric }, ...labels.filter(({ value }) => value !== '')];
  for (const label of added) if (!labels.some(({ name }) => name === label.name)) all.push(label);
  return all.sort(byName);
}

function byName({ name: a }: Label, { name: b }: Label): number {
  // UTF-16 and UTF-8 order only what is beyond the surrogates in other ways.
  if (isBeyond(a) || isBeyond(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

function isBeyond(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (name.charCodeAt(i) >= 0xd800) return true;
  return false;
}
