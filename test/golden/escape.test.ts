import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { escapeLabelName, escapeMetricName } from '../../src/render/escape.ts';

/** `escape/names.good.txt` holds names; what becomes of them stands beside, in `names.expected.txt`. */
const folder = new URL('escape/', import.meta.url);
const lines = readFileSync(new URL('names.good.txt', folder), 'utf8').trimEnd().split('\n');

test('each name is escaped as its golden file has it', async () => {
  const report = lines.map((line) => {
    if (line.startsWith('#')) return line;
    const name = JSON.parse(line) as string;
    const escaped = (['underscores', 'dots', 'values'] as const).map((scheme) => {
      const [metric, label] = [escapeMetricName(name, scheme), escapeLabelName(name, scheme)];
      return `  ${scheme.padEnd(11)} ${metric}${label === metric ? '' : ` (label: ${label})`}`;
    });
    return [line, ...escaped].join('\n');
  });
  const expected = fileURLToPath(new URL('names.expected.txt', folder));
  await expect(`${report.join('\n')}\n`).toMatchFileSnapshot(expected);
});
