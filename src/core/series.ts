/** One label of a series. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

/**
 * What Prometheus keys samples by, written in its own notation with the labels in order of their names: `deploys{env="prod"}`.
 * One text serves as the key, as what the log stores, and as what a scrape shows.
 */
export type SeriesText = string & { readonly __brand: 'SeriesText' };

/** Writes a series. The names must have been checked; the labels may stand in any order, none of them empty or twice. */
export function writeSeries(metric: string, labels: readonly Label[]): SeriesText {
  if (labels.length === 0) return metric as SeriesText;
  const sorted = labels.length === 1 ? labels : labels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  let text = `${metric}{`;
  let comma = '';
  for (const label of sorted) {
    text += `${comma}${label.name}="${escapeLabelValue(label.value)}"`;
    comma = ',';
  }
  return `${text}}` as SeriesText;
}

/** The metric's name at the head of a series. */
export function metricOf(series: SeriesText): string {
  const brace = series.indexOf('{');
  return brace === -1 ? series : series.slice(0, brace);
}

const SPECIAL = /[\\"\n]/;
const SPECIAL_ALL = /[\\"\n]/g;

/** Escapes as the text format asks: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function escapeLabelValue(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value.replaceAll(SPECIAL_ALL, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}
