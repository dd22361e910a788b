import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { negotiate } from '../../src/render/negotiate.ts';

/**
 * `negotiate/accept.good.txt` holds Accept headers, those that real clients send first; what becomes of them stands beside, in
 * `accept.expected.txt`. Lines that begin with `#` say what the next ones are about.
 */
const folder = new URL('negotiate/', import.meta.url);
const lines = readFileSync(new URL('accept.good.txt', folder), 'utf8').trimEnd().split('\n');

test('each Accept header gets its format', async () => {
  const report = lines.map((line) => {
    if (line.startsWith('#')) return line;
    const { kind, version, escaping, contentType } = negotiate(line);
    return `${line}\n  ${[kind, version, escaping].filter((each) => each !== undefined).join(' ')}\n  ${contentType}`;
  });
  const expected = fileURLToPath(new URL('accept.expected.txt', folder));
  await expect(`${report.join('\n')}\n`).toMatchFileSnapshot(expected);
});
