import type { Entry } from '../../core/entry.ts';
import type { Label } from '../../core/series.ts';
import { writeSeries } from '../../core/series.ts';
import { formatSampleValue } from '../../core/value.ts';
import type { Family, FamilySample } from './families.ts';
import type { Shown } from './grouped.ts';
import { EVENT_HELP, grouped, nameOfHead } from './grouped.ts';

/**
 * Renders a whole OpenMetrics body, versions 1.0.0 and 0.0.1 alike: the entries, the server's own metrics, the end.
 * Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 *
 * Events stand as in the text format, their times in seconds. Ends of pulses are skipped: a NaN read from text is never a stale marker.
 * No `_created`, which Prometheus would store as a series of its own, and no exemplars.
 */
export function renderOpenMetrics(
  entries: readonly Entry[],
  families: readonly Family[],
  { timed, escaping }: Shown,
): string {
  const events = entries.filter(({ kind }) => kind === 'event');
  const rendered = grouped(events, { timed, escaping }, (series, { value, time }) => {
    const line = series + ' ' + formatSampleValue(value);
    return timed ? line + ' ' + seconds(time) : line;
  });
  let text = '';
  for (const [head, lines] of rendered) {
    const name = nameOfHead(head);
    text += `# HELP ${name} ${EVENT_HELP}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`;
  }
  for (const family of families) text += renderFamily(family, (name) => rendered.has(name));
  return `${text}# EOF\n`;
}

/**
 * A counter is named without the `_total` that its samples must have. One without it, and one whose shorter name an event's family
 * has already, is of the type `unknown`, which is free of that rule: Prometheus stores the same samples.
 */
function renderFamily({ name, help, type, samples }: Family, isTaken: (name: string) => boolean): string {
  const short = name.replace(/_total$/, '');
  const isCounter = type === 'counter' && short !== name && !isTaken(short);
  const shownName = isCounter ? short : name;
  const shownType = type === 'counter' && !isCounter ? 'unknown' : type;
  let text = `# HELP ${shownName} ${escapeHelp(help)}\n# TYPE ${shownName} ${shownType}\n`;
  for (const sample of samples) text += renderSample(sample, type);
  return text;
}

function renderSample({ name, labels, value }: FamilySample, type: Family['type']): string {
  const bound = type === 'histogram' ? 'le' : type === 'summary' ? 'quantile' : undefined;
  const shown = bound === undefined ? labels : labels.map((label) => withFloat(label, bound));
  return `${writeSeries(name, shown)} ${formatSampleValue(value)}\n`;
}

/** Bounds are texts that must be the same everywhere: floats always have a point or an exponent (`1.0`). */
function withFloat(label: Label, bound: string): Label {
  if (label.name !== bound || !/^-?\d+$/.test(label.value)) return label;
  return { name: bound, value: `${label.value}.0` };
}

/** Float seconds, from which a reader that truncates gets the same milliseconds. */
function seconds(time: number): string {
  return (time / 1000).toFixed(3);
}

/** Other than in the text format, quotes are escaped here. */
function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
