import type { Entry } from '../../core/entry.ts';
import { writeSeries } from '../../core/series.ts';
import { formatSampleValue } from '../../core/value.ts';
import type { Escaping } from './escape.ts';
import type { Family } from './families.ts';
import { EVENT_HELP, grouped, nameOfHead } from './grouped.ts';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Renders entries in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/
 * Version 1.0.0 is 0.0.4 with names in quotes where they need them, which the escaping `allow-utf-8` shows.
 *
 * Families stand in the order of their first entry. Timed, all samples of a series stand together, oldest first; untimed, the caller
 * has seen to it that a series stands once. Ends of pulses are skipped: the format has no stale marker. Every line ends in a newline,
 * the last too.
 */
export function renderText(
  entries: readonly Entry[],
  options: { readonly timed: boolean; readonly escaping?: Escaping },
): string {
  const { timed, escaping = 'underscores' } = options;
  const events = entries.filter(({ kind }) => kind === 'event');
  const families = grouped(events, { timed, escaping }, (series, { value, time }) => {
    const line = series + ' ' + formatSampleValue(value);
    return timed ? line + ' ' + time : line;
  });
  let text = '';
  for (const [head, lines] of families) {
    const name = nameOfHead(head);
    text += `# HELP ${name} ${EVENT_HELP}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`;
  }
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
