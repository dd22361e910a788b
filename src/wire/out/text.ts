import type { Entry } from '../../core/entry.ts';
import type { SeriesText } from '../../core/series.ts';
import { metricOf, writeSeries } from '../../core/series.ts';
import { formatSampleValue } from '../../core/value.ts';
import type { Family } from './families.ts';
import { inSeriesOrder } from './order.ts';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const HELP = 'Events registered with oneShotMetricsServer, each delivered once to each scraper';

/**
 * Renders entries in Prometheus' text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Families stand in the order of their first entry. Timed, all samples of a series stand together, oldest first; untimed, the caller
 * has seen to it that a series stands once. Ends of pulses are skipped: the format has no stale marker. Every line ends in a newline,
 * the last too.
 */
export function renderText(entries: readonly Entry[], options: { readonly timed: boolean }): string {
  const { timed } = options;
  const families = new Map<string, string[]>();
  let metric: string | undefined;
  let lines: string[] = [];
  for (const entry of timed ? inSeriesOrder(entries) : entries) {
    if (entry.kind === 'end') continue;
    if (metric === undefined || !belongs(entry.series, metric)) {
      metric = metricOf(entry.series);
      lines = linesOf(families, metric);
    }
    const line = entry.series + ' ' + formatSampleValue(entry.value);
    lines.push(timed ? line + ' ' + entry.time : line);
  }
  let text = '';
  for (const family of families.values()) text += `${family.join('\n')}\n`;
  return text;
}

/** Renders the server's own metrics in the same format. */
export function renderFamilies(families: readonly Family[]): string {
  let text = '';
  for (const { name, help, type, samples } of families) {
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const sample of samples)
      text += `${writeSeries(sample.name, sample.labels)} ${formatSampleValue(sample.value)}\n`;
  }
  return text;
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Whether a series is of that metric; told without cutting a text out, since most neighbours are of one metric. */
function belongs(series: SeriesText, metric: string): boolean {
  if (!series.startsWith(metric)) return false;
  return series.length === metric.length || series[metric.length] === '{';
}

function linesOf(families: Map<string, string[]>, metric: string): string[] {
  const known = families.get(metric);
  if (known !== undefined) return known;
  const lines = [`# HELP ${metric} ${HELP}`, `# TYPE ${metric} gauge`];
  families.set(metric, lines);
  return lines;
}
