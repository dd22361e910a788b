import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EventRules } from '../../src/intake/rules.ts';
import { millis } from '../../src/core/millis.ts';
import { formatSampleValue } from '../../src/core/value.ts';
import { PRESETS } from '../../src/read/webhooks/senders/senders.ts';
import { tryWebhook } from '../../src/read/webhooks/tryWebhook.ts';
import { parseSamples } from '../support/strictParser.ts';
import { WIDE_RULES } from '../support/rules.ts';

/**
 * `webhooks/<webhook>/*.good.json` and `*.bad.json` hold what a sender sends, its headers and its body, in the shapes of the sender's own
 * documentation, which the preset names; of a bad one something can't be used. `text` stands for a body that is no JSON. What becomes of it stands beside, in `*.expected.txt`.
 */
const FOLDER = join(import.meta.dirname, 'webhooks');
const NOW = millis(Date.parse('2026-11-24T12:00:00Z'));
const RULES: EventRules = WIDE_RULES;

interface Fixture {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly text?: string;
}

const fixtures = globSync('*/*.json', { cwd: FOLDER }).sort();

function outcome(fixture: string): { report: string; unused: number } {
  const { headers = {}, body, text } = JSON.parse(readFileSync(join(FOLDER, fixture), 'utf8')) as Fixture;
  const sent = { body: new TextEncoder().encode(text ?? JSON.stringify(body)), headers };
  const { events, ignored, refused, leftOut } = tryWebhook(dirname(fixture), {}, sent, { rules: RULES, eventsMax: 100 }, NOW);
  const lines = events.flatMap(({ series, value, sent: time, id }) => {
    const sample = `${series} ${formatSampleValue(value)}`;
    parseSamples(`${sample}\n`);
    return [
      `becomes ${sample}`,
      `  at ${time === undefined ? 'its arrival' : new Date(time).toISOString()}, id ${id?.replace('\n', ': ') ?? 'none'}`,
    ];
  });
  if (ignored > 0) lines.push(`ignored: ${ignored}`);
  lines.push(...refused.map((error) => `refused: ${error}`));
  lines.push(...leftOut.map((error) => `left out: ${error}`));
  return { report: `${lines.join('\n')}\n`, unused: refused.length + leftOut.length };
}

describe('webhooks', () => {
  test.each(PRESETS.map(({ name }) => name))('of %s are there, good ones and bad ones', (name) => {
    const own = fixtures.filter((fixture) => dirname(fixture) === name);
    expect(own.some((fixture) => fixture.includes('.good.'))).toBe(true);
    expect(own.some((fixture) => fixture.includes('.bad.'))).toBe(true);
  });

  test.each(fixtures)('%s ends as expected, and as its name says', async (fixture) => {
    const { report, unused } = outcome(fixture);
    expect(unused > 0).toBe(fixture.includes('.bad.'));
    await expect(report).toMatchFileSnapshot(join(FOLDER, fixture.replace('.json', '.expected.txt')));
  });
});
