import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { render } from '../support/rendered.ts';
import { negotiate } from '../../src/render/negotiate.ts';
import { parseOpenMetrics } from '../support/openMetricsParser.ts';
import { CASES, OWN } from './formats.ts';

/* After `vitest -u` run it once more, as in text.test.ts. */
const fileOf = (name: string) => fileURLToPath(new URL(`openmetrics/${name}.good.txt`, import.meta.url));
const names = Object.keys(CASES);
const bodyOf = (name: string) => {
  const { entries, families, timed, escaping } = CASES[name] as (typeof CASES)[string];
  const format = negotiate(`application/openmetrics-text;version=1.0.0;escaping=${escaping}`);
  return Buffer.from(render(format, entries, families, { timed }));
};

describe('OpenMetrics', () => {
  test.each(names)('writes %s as its golden file has it, byte for byte', async (name) => {
    const body = bodyOf(name);
    await expect(body.toString()).toMatchFileSnapshot(fileOf(name));
    expect(readFileSync(fileOf(name)).equals(body)).toBe(true);
  });

  test.each(names)('writes %s so that a strict parser accepts it', (name) => {
    const families = parseOpenMetrics(
      readFileSync(fileOf(name)),
      CASES[name]?.escaping === 'allow-utf-8' ? 'utf8' : 'legacy',
    );
    expect(families.length > 0).toBe(name !== 'nothing');
  });

  test('has a golden file for each case, and no other', () => {
    const files = readdirSync(fileURLToPath(new URL('openmetrics', import.meta.url)));
    expect(files.sort()).toEqual(names.map((name) => `${name}.good.txt`).sort());
  });

  test('names a counter without its _total; one that has none, and one whose short name events have, is unknown', () => {
    const { entries = [] } = CASES['own-families'] ?? {};
    const body = render(negotiate('application/openmetrics-text;version=1.0.0'), entries, OWN, { timed: false });
    expect(parseOpenMetrics(body).map(({ name, type }) => `${name} ${type}`)).toEqual([
      'deploys gauge',
      'own_requests counter',
      'own_event_count unknown',
      'deploys_total unknown',
      'own_size_bytes gauge',
      'own_gc_seconds histogram',
      'own_wait_seconds summary',
    ]);
  });
});
