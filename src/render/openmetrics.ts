import type { Label } from '../core/series.ts';
import { seriesWriter } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import type { Exposition } from './exposition.ts';
import type { Family, FamilySample } from './families.ts';
import { familyComments, sampleLines } from './textLines.ts';

const encoder = new TextEncoder();

/**
 * OpenMetrics, versions 1.0.0 and 0.0.1 alike. Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 *
 * Events stand as in the text format, their times in seconds. Ends of pulses are skipped: a NaN read from text is never a stale marker.
 * No `_created`, which Prometheus would store as a series of its own, and no exemplars.
 */
export const OPEN_METRICS: Exposition = {
  showsEnds: false,
  samples: (samples, timed) => sampleLines(samples, timed ? seconds : undefined),
  familyHead: familyComments,
  own: (families, hasHead) => encoder.encode(families.map((family) => familyText(family, hasHead)).join('')),
  end: encoder.encode('# EOF\n'),
};

/**
 * A counter is named without the `_total` that its samples must have. One without it, and one whose shorter name an event's family
 * has already, is of the type `unknown`, which is free of that rule: Prometheus stores the same samples.
 */
function familyText({ name, help, type, samples }: Family, isTaken: (name: string) => boolean): string {
  const short = name.replace(/_total$/, '');
  const isCounter = type === 'counter' && short !== name && !isTaken(short);
  const shownName = isCounter ? short : name;
  const shownType = type === 'counter' && !isCounter ? 'unknown' : type;
  let text = `# HELP ${shownName} ${escapeHelp(help)}\n# TYPE ${shownName} ${shownType}\n`;
  const write = seriesWriter();
  for (const sample of samples) text += sampleText(sample, type, write);
  return text;
}

function sampleText(
  { name, labels, value }: FamilySample,
  type: Family['type'],
  write: ReturnType<typeof seriesWriter>,
): string {
  const bound = type === 'histogram' ? 'le' : type === 'summary' ? 'quantile' : undefined;
  const shown = bound === undefined ? labels : labels.map((label) => withFloat(label, bound));
  return `${write(name, shown)} ${formatSampleValue(value)}\n`;
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
