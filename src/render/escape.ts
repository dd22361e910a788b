import { isLegacyLabelName, isLegacyMetricName } from '../core/labels.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { haveSameNames, quote, readSeries, writeSeries } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import type { Family } from './families.ts';

/**
 * How names beyond the legacy charset are shown: as they are (`allow-utf-8`), or in one of the ways to write them in that charset.
 * Source: https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
export type Escaping = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

/**
 * The label that tells apart what escaping makes alike: the series' names as they were sent.
 * Why there is one: docs/decisions/0009-escaped-names-that-collide.md
 */
export const ESCAPED_FROM = 'escaped_from';

const BEYOND_METRIC = /[^a-zA-Z0-9_:]|^[0-9]/gu;
const BEYOND_LABEL = /[^a-zA-Z0-9_]|^[0-9]/gu;

/** A metric's name in that scheme, as Prometheus' own exporters write it (`model.EscapeName` of prometheus/common). */
export function escapeMetricName(name: string, scheme: Escaping): string {
  return escapeName(name, scheme, BEYOND_METRIC, isLegacyMetricName(name));
}

/**
 * A label's name in that scheme. Other than `model.EscapeName` this escapes colons, which are no legacy character of a label's name:
 * Prometheus 2 refuses the whole scrape for one.
 */
export function escapeLabelName(name: string, scheme: Escaping): string {
  return escapeName(name, scheme, BEYOND_LABEL, isLegacyLabelName(name));
}

function escapeName(name: string, scheme: Escaping, beyond: RegExp, isLegacy: boolean): string {
  switch (scheme) {
    case 'allow-utf-8':
      return name;
    case 'underscores':
      return isLegacy ? name : name.replaceAll(beyond, '_');
    case 'dots':
      return name.replaceAll('_', '__').replaceAll(beyond, (c) => (c === '.' ? '_dot_' : '__'));
    case 'values':
      return isLegacy ? name : `U__${name.replaceAll('_', '__').replaceAll(beyond, codePoint)}`;
    default:
      return scheme satisfies never;
  }
}

function codePoint(character: string): string {
  return `_${(character.codePointAt(0) ?? 0).toString(16)}_`;
}

/** What becomes of all series that have the same names. */
interface Plan {
  readonly metric: string;
  /** The labels' new names, in the order of the old ones. */
  readonly names: readonly string[];
  /** What is added. */
  readonly more: readonly Label[];
}

/**
 * Makes what writes series in that scheme; two different series never become one, whatever else there is. What comes out depends on
 * nothing but the series, so that it is the same in every scrape. See docs/decisions/0009-escaped-names-that-collide.md.
 * It remembers the names that it has met: make one for each page.
 */
export function escaper(scheme: Escaping): (series: SeriesText) => SeriesText {
  const plans = new TextMap<Plan>();
  return (series) => {
    if (isSurelyTheSame(series, scheme)) return series;
    const { metric, labels } = readSeries(series);
    // No name holds a NUL.
    let key = metric;
    for (const { name } of labels) key += `\0${name}`;
    let plan = plans.get(key);
    if (plan === undefined) {
      plan = planOf(metric, labels, scheme);
      plans.set(key, plan);
    }
    const { names, more } = plan;
    const escaped = labels.map(({ value }, index) => ({ name: names[index] ?? '', value }));
    return writeSeries(plan.metric, [...escaped, ...more]);
  };
}

function planOf(metric: string, labels: readonly Label[], scheme: Escaping): Plan {
  const added = escapeLabelName(ESCAPED_FROM, scheme);
  const taken = new TakenNames(['__name__', added]);
  const names = labels.map(({ name }) => escapeLabelName(name, scheme));
  const ambiguous: number[] = [];
  for (const [index, { name }] of labels.entries()) {
    const escaped = names[index] ?? '';
    if (taken.has(escaped) || !isOneToOne(name, scheme, isLegacyLabelName)) ambiguous.push(index);
    else taken.add(escaped);
  }
  for (const index of ambiguous) {
    names[index] = taken.free(names[index] ?? '');
    taken.add(names[index]);
  }
  const isTold = ambiguous.length > 0 || !isOneToOne(metric, scheme, isLegacyMetricName);
  const more = isTold ? [{ name: added, value: namesOf(metric, labels) }] : [];
  return { metric: escapeMetricName(metric, scheme), names, more };
}

/** A family of the server's own in that scheme. Its own names are legacy ones, but a counter of events has labels of theirs. */
export function escapeFamily(family: Family, scheme: Escaping): Family {
  if (scheme === 'allow-utf-8') return family;
  const name = escapeMetricName(family.name, scheme);
  const escapeSeries = escaper(scheme);
  // What becomes of a series follows from its names alone, and most samples of a family have the same.
  let unchanged: readonly Label[] | undefined;
  const samples = family.samples.map((sample) => {
    if (unchanged !== undefined && haveSameNames(sample.labels, unchanged)) return sample;
    const series = writeSeries(family.name, sample.labels);
    const escaped = escapeSeries(series);
    if (escaped === series) {
      unchanged = sample.labels;
      return sample;
    }
    const suffix = sample.name.slice(family.name.length);
    return { ...sample, name: name + suffix, labels: readSeries(escaped).labels };
  });
  return { ...family, name, samples };
}

/** Most series need no escaping, and that must cost little. Quotes stand behind a brace or a comma where a name is quoted. */
function isSurelyTheSame(series: SeriesText, scheme: Escaping): boolean {
  if (scheme === 'allow-utf-8') return true;
  if (scheme === 'dots' || series.includes('{"') || series.includes(',"')) return false;
  return !series.includes(ESCAPED_FROM) && !(scheme === 'values' && series.includes('U__'));
}

/** Whether no other name becomes what this name becomes, as far as the names are concerned for which this holds. */
function isOneToOne(name: string, scheme: Escaping, isLegacy: (name: string) => boolean): boolean {
  switch (scheme) {
    case 'allow-utf-8':
      return true;
    case 'underscores':
      return isLegacy(name);
    case 'dots':
      return isLegacy(name.replaceAll('.', '_'));
    case 'values':
      return !(isLegacy(name) && name.startsWith('U__'));
    default:
      return scheme satisfies never;
  }
}

/** The names that one series has so far. */
class TakenNames {
  readonly #names = new TextMap<true>();
  /** By name the first number behind it that may be free: thousands of names may become one. */
  readonly #numbers = new TextMap<number>();

  constructor(names: readonly string[]) {
    for (const name of names) this.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.set(name, true);
  }

  /** The name, or where it is taken, the name with the first number that is free. */
  free(name: string): string {
    let number = this.#numbers.get(name) ?? 2;
    let free = name;
    for (; this.has(free); number += 1) free = `${name}_${number}`;
    this.#numbers.set(name, number);
    return free;
  }
}

/** The notation of a series without the values of its labels: `deploys{env,"k8s.cluster"}`. */
function namesOf(metric: string, labels: readonly Label[]): string {
  const names = labels.map(({ name }) => (isLegacyLabelName(name) ? name : quote(name)));
  if (!isLegacyMetricName(metric)) return `{${[quote(metric), ...names].join(',')}}`;
  return names.length === 0 ? metric : `${metric}{${names.join(',')}}`;
}
