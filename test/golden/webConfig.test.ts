import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { AccessFileError } from '../../src/access/error.ts';
import { readText } from '../../src/access/readText.ts';
import { CIPHERS } from '../../src/access/tlsSection.ts';
import { readWebConfig } from '../../src/access/webConfig.ts';

/**
 * `webConfig/*.good.yml` and `*.bad.yml`: files in the format of Prometheus' exporters, each about one rule. What becomes of all of them
 * stands in `webConfig/expected.txt`. `test/e2e/webConfig.test.ts` has a real exporter judge the same files.
 */
const folder = join(import.meta.dirname, 'webConfig');
const fixtures = readdirSync(folder).filter((name) => /\.(?:good|bad)\.yml$/.test(name));

async function open(name: string): Promise<Access> {
  return Access.open({
    settings: { 'web.config.file': join(folder, name), 'auth.tokens.file': '', 'auth.users': [], 'scrapers.byUser': false },
    read: readText,
    compare: () => Promise.reject(new Error('nobody asks for it')),
    key: new Uint8Array(32),
    news: { reloaded: () => undefined, kept: () => undefined },
  });
}

/** What a file comes to, without what is secret in it and without this folder's place. */
async function outcome(name: string): Promise<string> {
  try {
    const access = await open(name);
    const { users } = readWebConfig(name, await readText(join(folder, name)));
    const { cert, key, ca, ...context } = access.tls?.context ?? {};
    const { clientAuth, allowedSans } = access.tls ?? {};
    const facts = {
      ...(access.tls && { tls: { ...context, clientAuth, allowedSans } }),
      ...(cert !== undefined && { pem: [cert, key, ca].map((pem) => String(pem).split('\n')[0]) }),
      ...(access.headers.length > 0 && { headers: access.headers }),
      ...(users.size > 0 && { users: [...users.keys()] }),
      ...(access.rate && { rate: access.rate }),
    };
    return JSON.stringify(facts).replaceAll(Object.values(CIPHERS).join(':'), 'all');
  } catch (error) {
    if (!(error instanceof AccessFileError)) throw error;
    return `refused: ${error.message.replaceAll(`${folder}/`, '')}`;
  }
}

describe('web configuration files', () => {
  test('are there, good ones and bad ones', () => {
    expect(fixtures.filter((name) => name.includes('.good.')).length).toBeGreaterThan(20);
    expect(fixtures.filter((name) => name.includes('.bad.')).length).toBeGreaterThan(30);
  });

  test('end as expected', async () => {
    const report: string[] = [];
    for (const name of fixtures) report.push(`# ${name}\n${await outcome(name)}\n`);
    await expect(report.join('\n')).toMatchFileSnapshot(join(folder, 'expected.txt'));
  });

  test.each(fixtures)('%s meets the verdict of its name, and its error is one line', async (name) => {
    const text = await outcome(name);
    expect(text.startsWith('refused')).toBe(name.includes('.bad.'));
    if (name.includes('.bad.')) expect(text.split('\n')).toHaveLength(1);
  });

  test('that can not be used never show what may be secret', async () => {
    for (const name of fixtures) {
      const text = await outcome(name);
      expect(text, basename(name)).not.toMatch(/\$2y\$|MIG|VerySecretText|doe/);
    }
  });
});
