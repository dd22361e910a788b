import { isLegacyLabelName, isLegacyMetricName } from './labels.ts';

/** One label of a series. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

/**
 * What Prometheus keys samples by, written in its own notation with the labels in order of their names: `deploys{env="prod"}`.
 * Names beyond the legacy charset stand in quotes, a metric's inside the braces: `{"deploys.done","k8s.cluster"="x"}`.
 * One text serves as the key, as what the log stores, and as what a scrape shows.
 * Source: https://prometheus.io/docs/guides/utf8/
 */
export type SeriesText = string & { readonly __brand: 'SeriesText' };

/** Writes a series. The names must have been checked; the labels may stand in any order, none of them empty or twice. */
export function writeSeries(metric: string, labels: readonly Label[]): SeriesText {
  const isLegacy = isLegacyMetricName(metric);
  if (labels.length === 0) return (isLegacy ? metric : `{${quote(metric)}}`) as SeriesText;
  const sorted = labels.length === 1 ? labels : labels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  let text = isLegacy ? `${metric}{` : `{${quote(metric)}`;
  let comma = isLegacy ? '' : ',';
  for (const { name, value } of sorted) {
    text += `${comma}${isLegacyLabelName(name) ? name : quote(name)}="${escape(value)}"`;
    comma = ',';
  }
  return `${text}}` as SeriesText;
}

/** Reads what `writeSeries` wrote: the metric, and the labels in order of their names. Throws for a text that is cut. */
export function readSeries(series: SeriesText): {
  readonly metric: string;
  readonly labels: readonly Label[];
} {
  const head = headOf(series);
  const labels: Label[] = [];
  let place = head.length + 1;
  while (place < series.length) {
    const value = valuePlace(series, place);
    const name =
      series[place] === '"' ? unescape(series.slice(place + 1, value - 3)) : series.slice(place, value - 2);
    const close = closingQuote(series, value);
    labels.push({ name, value: unescape(series.slice(value, close)) });
    place = close + 2;
  }
  return { metric: metricOfHead(head), labels };
}

/**
 * What a series begins with, and what no series of another metric begins with: `deploys` or `{"deploys.done"`.
 * The character behind it, if there is one, is a brace or a comma.
 */
export function headOf(series: SeriesText): string {
  const brace = series.indexOf('{');
  if (brace === 0) return series.slice(0, closingQuote(series, 2) + 1);
  return brace === -1 ? series : series.slice(0, brace);
}

/** The metric's name. */
export function metricOf(series: SeriesText): string {
  return metricOfHead(headOf(series));
}

/** The metric's name, of what its series begin with. */
export function metricOfHead(head: string): string {
  return head.startsWith('{') ? unescape(head.slice(2, -1)) : head;
}

/** A name in quotes, as a series' notation and a format's comments have it where it isn't a legacy one. */
export function quote(name: string): string {
  return `"${escape(name)}"`;
}

const SPECIAL = /[\\"\n]/;
const SPECIAL_ALL = /[\\"\n]/g;

/** Escapes as the text format asks: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function escape(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll(SPECIAL_ALL, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}

const ESCAPE_ALL = /\\(.)/g;

function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(ESCAPE_ALL, (_whole, c: string) => (c === 'n' ? '\n' : c));
}

/** How a label's name is written in a series. */
export function writtenName(name: string): string {
  return isLegacyLabelName(name) ? name : quote(name);
}

/** Where the value of a label begins, behind its quote. `label`: where the label itself does. Throws for a text that is cut. */
export function valuePlace(series: SeriesText, label: number): number {
  if (series[label] === '"') return closingQuote(series, label + 1) + 3;
  const equals = series.indexOf('="', label);
  if (equals === -1) throw notWhole(series);
  return equals + 2;
}

/** Where, in a series, the quote stands that ends what begins behind a quote at `from`. Throws for a text that is cut. */
export function closingQuote(series: SeriesText, from: number): number {
  for (let close = series.indexOf('"', from); close !== -1; close = series.indexOf('"', close + 1)) {
    let before = close;
    while (before > from && series[before - 1] === '\\') before--;
    if ((close - before) % 2 === 0) return close;
  }
  throw notWhole(series);
}

function notWhole(series: SeriesText): Error {
  return new Error(`not a whole series: ${series}`);
}
