import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collapseLast } from '../../src/delivery/collapse.ts';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/entry.ts';
import { renderText } from '../support/rendered.ts';
import { parseExposition, parseSamples } from '../support/strictParser.ts';
import { NOON, end, event, inLog } from './entries.ts';

/*
 * After `vitest -u` run it once more: Vitest writes the files when all is over, and the strict parser reads what was there before.
 */

interface Golden {
  readonly name: string;
  readonly timed: boolean;
  readonly entries: readonly Entry[];
}

const UNTIMED: Record<string, readonly Entry[]> = {
  'one-event': inLog(event('deploys', { env: 'prod' }, 1)),
  'no-labels': inLog(event('deploys')),
  'hostile-values': inLog(
    event('notes', { text: 'says "hello"' }),
    event('notes', { text: 'C:\\temp\\new' }),
    event('notes', { text: 'ends in a backslash\\' }),
    event('notes', { text: '\\"' }),
    event('notes', { text: 'two\nlines' }),
    event('notes', { text: '\\n is not a newline' }),
    event('notes', { text: 'a\ttab' }),
    event('notes', { text: ' blanks at both edges ' }),
    event('notes', { text: 'carriage\rreturn' }),
    event('notes', { text: 'CR LF\r\ninside' }),
    event('notes', { text: 'ends in CR\r' }),
    event('notes', { text: 'NUL \0 here' }),
    event('notes', { text: 'separators \u2028\u2029\u0085' }),
    event('notes', { text: 'öäü ß 漢字' }),
    event('notes', { text: '🚀 👩‍👩‍👧 \u{10ffff}' }),
    event('notes', { text: 'שלום \u202eright to left\u202c' }),
    event('notes', { text: '\ufeffbyte order mark' }),
    event('notes', { text: '{a="b"} 1' }),
    event('notes', { text: '# HELP notes no' }),
  ),
  'values': inLog(
    ...[0.1, 1e21, 5e-324, 1.7976931348623157e308, -0, 0, Number.NaN, Infinity, -Infinity].map((value, index) =>
      event('readings', { n: String(index) }, value),
    ),
    event('readings', { n: '2^53+1' }, 2 ** 53 + 1),
    event('readings', { n: 'digits' }, Number('123456789.123456789')),
    event('readings', { n: 'negative' }, -1e-7),
  ),
  'metrics-interleaved': inLog(
    event('deploys', { env: 'prod' }),
    event('backups'),
    event('deploys', { env: 'test' }),
    event('deploys_failed', { env: 'test' }),
    event('backups', { of: 'db' }, 2),
    event('deploys'),
  ),
  'labels-in-order': inLog(event('deploys', { zone: 'z', Env: 'E', env: 'e', _x: 'u' })),
  'repeats-collapse': inLog(
    event('deploys', { env: 'prod' }, 1),
    event('deploys', { env: 'test' }, 2),
    event('deploys', { env: 'prod' }, 3),
    event('backups', {}, 4),
    event('deploys', { env: 'prod' }, 5),
  ),
  'ends-skipped': inLog(
    event('deploys', { env: 'prod' }, 7),
    end('deploys', { env: 'prod' }),
    end('backups'),
    event('deploys', { env: 'test' }),
  ),
};

const TIMED: Record<string, readonly Entry[]> = {
  'timed-one-event': inLog(event('deploys', { env: 'prod' }, 1, NOON + 250)),
  'timed-repeats-stay': inLog(
    event('deploys', { env: 'prod' }, 1),
    event('deploys', { env: 'test' }, 2),
    event('deploys', { env: 'prod' }, 3),
    event('backups', {}, 4),
    event('deploys', { env: 'prod' }, 3, NOON + 2001),
  ),
  'timed-out-of-order': inLog(
    event('deploys', { env: 'prod' }, 3, NOON + 3000),
    event('deploys', { env: 'prod' }, 1, NOON + 1000),
    event('deploys', { env: 'prod' }, 2, NOON + 2000),
  ),
  'timed-ends-skipped': inLog(
    event('deploys', {}, 1),
    end('deploys'),
    event('deploys', {}, 1),
    end('backups'),
  ),
};

const GOLDEN: readonly Golden[] = [
  ...Object.entries(UNTIMED).map(([name, entries]) => ({ name, entries, timed: false })),
  ...Object.entries(TIMED).map(([name, entries]) => ({ name, entries, timed: true })),
];

const fileOf = (name: string) => fileURLToPath(new URL(`text/${name}.good.txt`, import.meta.url));

describe('the text format', () => {
  test.each(GOLDEN)('writes $name as its golden file has it, byte for byte', async ({ name, entries, timed }) => {
    const text = renderText(timed ? entries : collapseLast(entries), { timed });
    await expect(text).toMatchFileSnapshot(fileOf(name));
    // The snapshot takes CR LF for LF; a scrape does not.
    expect(readFileSync(fileOf(name)).equals(Buffer.from(text))).toBe(true);
  });

  test.each(GOLDEN)('writes $name so that a strict parser accepts it', ({ name }) => {
    expect(parseExposition(readFileSync(fileOf(name))).length).toBeGreaterThan(0);
  });

  test('has a golden file for each case, and no other', () => {
    const files = readdirSync(fileURLToPath(new URL('text', import.meta.url)));
    expect(files.sort()).toEqual(GOLDEN.map(({ name }) => `${name}.good.txt`).sort());
  });

  test('keeps every hostile value as it was sent', () => {
    const texts = parseSamples(readFileSync(fileOf('hostile-values'))).map(({ labels }) => labels.get('text'));
    expect(texts).toContain('ends in a backslash\\');
    expect(texts).toContain('CR LF\r\ninside');
    expect(texts).toContain('NUL \0 here');
    expect(new Set(texts).size).toBe(UNTIMED['hostile-values']?.length);
  });
});
