import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../../src/access/tokens.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import type { Row } from './row.ts';
import { authRows } from './rows/auth.ts';
import type { Target } from './runner.ts';
import { complaintsAbout, expectedOf, validScrape, verdictOn } from './runner.ts';
import { SETTINGS, THEMES } from './themes.ts';

const ROWS_LEAST = 300;

/** `alicesecret`, at the least cost there is. */
const ALICE = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';
const [WRITER = '', READER = ''] = [1, 2].map((n) => newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(n)));
const AUTH = authRows({ writer: WRITER, reader: READER });

describe.each(Object.entries(THEMES))('hostile requests: %s', (_theme, rows) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(SETTINGS);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  judgeAll(rows, () => ({ port: server.port }));

  it('and the server has nothing to blame itself for', () => {
    expect(server.log.filter((entry) => /"level":"?(?:error|fatal|50|60)/i.test(entry))).toEqual([]);
  });
});

describe('hostile requests: to a server that lets in few', () => {
  let server: RunningServer;
  const folder = temporaryFolder();
  beforeAll(async () => {
    const [web, tokens] = [join(folder.path, 'web.yml'), join(folder.path, 'tokens.yml')];
    writeFileSync(web, `basic_auth_users:\n  alice: ${ALICE}\n`);
    writeFileSync(
      tokens,
      tokenEntry({ name: 'writer', scopes: ['write'], hash: hashToken(WRITER) }) +
        tokenEntry({ name: 'reader', scopes: ['scrape'], hash: hashToken(READER) }),
    );
    server = await startServer({ ...SETTINGS, 'web.config.file': web, 'auth.tokens.file': tokens });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  judgeAll(AUTH, () => ({ port: server.port, credential: { Authorization: `Bearer ${READER}` } }));
});

function judgeAll(rows: readonly Row[], target: () => Target): void {
  it.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const { verdict, says } = await verdictOn(row, target());
    expect(verdict, says).toEqual(expectedOf(row));
  });

  it('and at the end promtool takes the metrics', async () => {
    expect(await complaintsAbout(await validScrape(target()))).toBe('');
  });
}

describe('the table', () => {
  const all = [...Object.values(THEMES).flat(), ...AUTH];

  it(`has ${ROWS_LEAST} rows at least, each with a name of its own within its theme`, () => {
    expect(all.length).toBeGreaterThanOrEqual(ROWS_LEAST);
    for (const rows of [...Object.values(THEMES), AUTH]) {
      const names = rows.map(({ name }) => name);
      expect(names.filter((name, index) => names.indexOf(name) !== index).join('\n')).toBe('');
    }
  });

  it('knocks at every door', () => {
    // The others are bombs, and dear to make.
    const cheap = all.filter((row) => THEMES['compressed bodies']?.includes(row) !== true);
    const heads = new Set(
      cheap.map((row) => /^\S+ (\/[^\s?]*)/.exec(row.bytes().toString('latin1', 0, 200))?.[1]),
    );
    for (const door of [
      '/event',
      '/webhook/alertmanager',
      '/webhook/github',
      '/webhook/gitlab',
      '/webhook/argocd',
      '/webhook/flux',
      '/webhook/builds',
      '/api/v2/alerts',
      '/api/annotations',
      '/api/annotations/graphite',
      '/metrics',
      '/api/v1/scrapers',
      '/api/v1/events',
    ])
      expect(heads).toContain(door);
  });
});
