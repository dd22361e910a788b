import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { RefusedError } from '../../src/core/errors.ts';
import type { EventRules } from '../../src/intake/rules.ts';
import { draftFromPairs } from '../../src/intake/draft.ts';
import { eventFromDraft } from '../../src/intake/eventFromDraft.ts';
import { formatSampleValue } from '../../src/core/value.ts';
import { parseForm } from '../../src/read/form.ts';
import { parseSamples } from '../support/strictParser.ts';

/**
 * `form/*.good.txt` and `form/*.bad.txt` hold queries, one on each line; what becomes of them stands beside, in `*.expected.txt`.
 * Lines that begin with `#` say what the next ones are about.
 */
const folder = new URL('form/', import.meta.url);
const RULES: EventRules = {
  metric: 'events',
  names: 'legacy',
  limits: { labelsMax: 4, labelNameBytesMax: 16, labelValueBytesMax: 32, seriesBytesMax: 8192, idBytesMax: 32 },
  reserved: (metric) => metric.startsWith('oneshot_'),
};
const PAIRS_MAX = 8;

const fixtures = readdirSync(folder).filter((name) => /\.(?:good|bad)\.txt$/.test(name));

function linesOf(fixture: string): string[] {
  return readFileSync(new URL(fixture, folder), 'utf8').trimEnd().split('\n');
}

function outcome(query: string): { text: string; accepted: boolean } {
  try {
    const { series, value } = eventFromDraft(draftFromPairs(parseForm('url', query, PAIRS_MAX)), RULES);
    const sample = `${series} ${formatSampleValue(value)}`;
    parseSamples(`${sample}\n`);
    return { text: `becomes ${sample}`, accepted: true };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { text: `refused, ${JSON.stringify(error.field)}: ${error.message}`, accepted: false };
  }
}

describe('form queries', () => {
  test('are there, good ones and bad ones', () => {
    expect(fixtures.filter((name) => name.includes('.good.')).length).toBeGreaterThan(0);
    expect(fixtures.filter((name) => name.includes('.bad.')).length).toBeGreaterThan(0);
  });

  test.each(fixtures)('of %s end as expected', async (fixture) => {
    const report = linesOf(fixture).map((line) => (line.startsWith('#') ? line : `${line}\n  ${outcome(line).text}`));
    const expected = fileURLToPath(new URL(fixture.replace('.txt', '.expected.txt'), folder));
    await expect(`${report.join('\n')}\n`).toMatchFileSnapshot(expected);
  });

  test.each(fixtures)('of %s meet the verdict of its name', (fixture) => {
    const queries = linesOf(fixture).filter((line) => !line.startsWith('#'));
    const wrong = queries.filter((query) => outcome(query).accepted !== fixture.includes('.good.'));
    expect(wrong).toEqual([]);
  });
});
