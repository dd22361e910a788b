import { seriesWriter } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import type { Exposition } from './exposition.ts';
import type { Family } from './families.ts';
import { familyComments, sampleLines } from './textLines.ts';

const encoder = new TextEncoder();

/**
 * Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/
 * Version 1.0.0 is 0.0.4 with names in quotes where they need them, which the escaping `allow-utf-8` shows.
 *
 * Ends of pulses are skipped: the format has no stale marker. Every line ends in a newline, the last too.
 */
export const TEXT: Exposition = {
  showsEnds: false,
  samples: (samples, timed) => sampleLines(samples, timed ? String : undefined),
  familyHead: familyComments,
  own: (families) => encoder.encode(families.map((family) => familyText(family)).join('')),
  end: new Uint8Array(),
};

function familyText({ name, help, type, samples }: Family): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  const write = seriesWriter();
  for (const sample of samples)
    text += `${write(sample.name, sample.labels)} ${formatSampleValue(sample.value)}\n`;
  return text;
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
