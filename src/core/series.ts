import { ownCopy } from './keptText.ts';
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
  return filled(patternOf(metric, labels), labels);
}

/** Writes series as `writeSeries` does, one after the other: where one has the names of the one before, these are not looked at again. */
export function seriesWriter(): typeof writeSeries {
  let pattern: Pattern | undefined;
  return (metric, labels) => {
    if (pattern?.metric !== metric || !haveSameNames(labels, pattern.labels))
      pattern = patternOf(metric, labels);
    return filled(pattern, labels);
  };
}

/** What all series have in common whose names are the same, and come in the same order. */
interface Pattern {
  readonly metric: string;
  readonly labels: readonly Label[];
  readonly parts: readonly string[];
  /** Where in `parts` the value of each label belongs. */
  readonly places: readonly number[];
}

function patternOf(metric: string, labels: readonly Label[]): Pattern {
  const order = Array.from(labels, (_, label) => label);
  const nameOf = (label: number): string => labels[label]?.name ?? '';
  if (order.length > 1) order.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const names = order.map(nameOf);
  const places = order.slice();
  for (const [rank, label] of order.entries()) places[label] = rank * 2 + 1;
  return { metric, labels, parts: seriesParts(metric, names), places };
}

function filled({ parts, places }: Pattern, labels: readonly Label[]): SeriesText {
  const all = parts.slice();
  let label = 0;
  for (const { value } of labels) {
    all[places[label] ?? 0] = escape(value);
    label += 1;
  }
  return all.join('') as SeriesText;
}

/** Whether labels have the same names, in the same order. */
export function haveSameNames(some: readonly Label[], others: readonly Label[]): boolean {
  return some.length === others.length && some.every(({ name }, place) => name === others[place]?.name);
}

/** The parts of a series whose values are still missing: each is an empty text, the first at 1, and every other one behind it. */
export function seriesParts(metric: string, sortedNames: readonly string[]): string[] {
  const isLegacy = isLegacyMetricName(metric);
  const head = isLegacy ? metric : `{${quote(metric)}`;
  // Nothing is joined with it that would make a text of its own, and it may have been cut out of a long one.
  if (sortedNames.length === 0) return [ownCopy(isLegacy ? head : `${head}}`)];
  const parts: string[] = [];
  let before = isLegacy ? `${head}{` : `${head},`;
  for (const name of sortedNames) {
    parts.push(`${before}${writtenName(name)}="`, '');
    before = '",';
  }
  parts.push('"}');
  return parts;
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

const SPECIAL_ALL = /[\\"\n]/g;

/** Escapes as the text format asks: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function escape(text: string): string {
  if (isPlain(text)) return text;
  return text.replaceAll(SPECIAL_ALL, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SURROGATES = 0xd800;

/** Whether a text surely needs no escaping, and surely is whole Unicode characters; of most it can be told by looking at each unit once. */
function isPlain(text: string): boolean {
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit === QUOTE || unit === BACKSLASH || unit === LINE_FEED || unit >= SURROGATES) return false;
  }
  return true;
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

const EQUALS = 0x3d;
const COMMA = 0x2c;
const BRACE = 0x7b;

/**
 * Where labels stand in a series, of which the first stands at `labels`; -1 for one that isn't there. `beginnings`: their names as they
 * are written, each with what follows up to its value.
 */
export function labelPlaces(
  series: SeriesText,
  labels: number,
  beginnings: readonly string[],
): readonly number[] {
  const places = beginnings.map((beginning) => labelPlace(series, labels, beginning));
  if (!places.includes(undefined)) return places as number[];
  const walked = beginnings.map(() => -1);
  for (let label = labels; label < series.length;) {
    for (const [index, beginning] of beginnings.entries())
      if (series.startsWith(beginning, label)) walked[index] = label;
    label = closingQuote(series, valuePlace(series, label)) + 2;
  }
  return walked;
}

/** The same of one; undefined where it takes all that stands before it to tell. */
function labelPlace(series: SeriesText, labels: number, beginning: string): number | undefined {
  if (series.startsWith(beginning, labels)) return labels;
  const found = series.indexOf(`",${beginning}`, labels);
  if (found === -1) return -1;
  // A quote within a value or a name stands behind a backslash; one that opens a value behind the equals sign, one that opens a name behind
  // a comma or a brace; behind one that ends a name comes no comma. So this one ends a value.
  const before = series.charCodeAt(found - 1);
  const isOther = before === BACKSLASH || before === EQUALS || before === COMMA || before === BRACE;
  return isOther ? undefined : found + 2;
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
