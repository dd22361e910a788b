import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../../src/access/tokens.ts';
import type { Scope } from '../../src/access/scopes.ts';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** `alicesecret` and `bobsecret`, at the least cost there is. */
const ALICE = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';
const BOB = '$2y$04$omCMFreinPYHrXRJIJ/my.wQ5ZHrDew.SNTcW8mWTGijs/crZd8oG';
const USERS = `basic_auth_users:\n  alice: ${ALICE}\n  bob: ${BOB}\n`;

const tokenOf = (n: number) => newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(n));
const entryOf = (name: string, n: number, ...scopes: [Scope, ...Scope[]]) =>
  tokenEntry({ name, scopes, hash: hashToken(tokenOf(n)) });
const TOKENS = entryOf('writer', 1, 'write') + entryOf('reader', 2, 'scrape') + entryOf('boss', 3, 'admin');

const bearer = (n: number) => ({ Authorization: `Bearer ${tokenOf(n)}` });
const basic = (user: string, password = `${user}secret`) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const NONE = {};

/** Files for a server, to be changed by a test. */
function files({ web, tokens }: { web?: string; tokens?: string }) {
  const folder = temporaryFolder();
  const paths = { web: join(folder.path, 'web.yml'), tokens: join(folder.path, 'tokens.yml') };
  if (web !== undefined) writeFileSync(paths.web, web);
  if (tokens !== undefined) writeFileSync(paths.tokens, tokens);
  const settings = {
    'web.config.file': web === undefined ? '' : paths.web,
    'auth.tokens.file': tokens === undefined ? '' : paths.tokens,
  };
  return { ...folder, paths, settings };
}

async function ask(
  server: RunningServer,
  method: string,
  path: string,
  headers: Record<string, string> = {},
) {
  const answer = await fetch(server.url + path, { method, headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const statusOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).status;

/** Every kind of route, and what it answers to who may use it. */
const ROUTES = [
  ['POST', '/event?a=1', 'write', 200],
  ['GET', '/metrics', 'scrape', 200],
  ['HEAD', '/metrics', 'scrape', 200],
  ['GET', '/metrics?peek=true', 'scrape', 200],
  ['GET', '/api/v1/scrapers', 'scrape', 200],
  ['DELETE', '/api/v1/scrapers/none', 'admin', 404],
  ['GET', '/', 'any', 200],
  ['GET', '/docs', 'any', 200],
  ['GET', '/openapi.json', 'any', 200],
  ['GET', '/nothing-here', 'any', 404],
  ['GET', '/healthz', 'open', 200],
  ['GET', '/-/healthy', 'open', 200],
  ['GET', '/-/ready', 'open', 200],
] as const;

describe('each route asks for its scope', () => {
  it.each(ROUTES)('%s %s: %s', async (method, path, access, ok) => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer(folder.settings);
    const got = {
      none: await statusOf(server, method, path),
      writer: await statusOf(server, method, path, bearer(1)),
      reader: await statusOf(server, method, path, bearer(2)),
      boss: await statusOf(server, method, path, bearer(3)),
      alice: await statusOf(server, method, path, basic('alice')),
    };
    const may = (...scopes: string[]) => (scopes.includes(access) ? ok : 403);
    expect(got).toEqual({
      none: access === 'open' ? ok : 401,
      writer: may('write', 'any', 'open'),
      reader: may('scrape', 'any', 'open'),
      boss: ok,
      alice: ok,
    });
  });

  it('and nothing at all without users and tokens', async () => {
    await using server = await startServer();
    for (const [method, path, , ok] of ROUTES) expect(await statusOf(server, method, path), path).toBe(ok);
  });

  it('users have the scopes that auth.users gives them, and all where it does not name them', async () => {
    using folder = files({ web: USERS });
    await using server = await startServer({ ...folder.settings, 'auth.users': ['bob=scrape'] });
    expect(await statusOf(server, 'GET', '/metrics', basic('bob'))).toBe(200);
    expect(await statusOf(server, 'POST', '/event?a=1', basic('bob'))).toBe(403);
    expect(await statusOf(server, 'POST', '/event?a=1', basic('alice'))).toBe(200);
  });

  it('auth.users that names nobody is refused at the start, lest the one it means may do everything', async () => {
    using folder = files({ web: USERS });
    await expect(startServer({ ...folder.settings, 'auth.users': ['bop=scrape'] })).rejects.toThrow(
      'auth.users: item 1 is a user who is not in basic_auth_users',
    );
  });
});

describe('who is not let in', () => {
  it('learns which credentials are taken', async () => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using both = await startServer(folder.settings);
    const challenge = async (server: RunningServer, headers: Record<string, string>, path = '/metrics') =>
      (await ask(server, 'GET', path, headers)).headers.get('www-authenticate');
    const realm = 'realm="oneShotMetricsServer", charset="UTF-8"';
    expect(await challenge(both, NONE)).toBe(`Basic ${realm}, Bearer ${realm}`);
    expect(await challenge(both, bearer(9))).toBe(`Basic ${realm}, Bearer ${realm}, error="invalid_token"`);
    expect(await challenge(both, bearer(1))).toBe(
      `Bearer ${realm}, error="insufficient_scope", scope="scrape"`,
    );
    await using users = await startServer({ 'web.config.file': folder.paths.web });
    expect(await challenge(users, bearer(1))).toBe(`Basic ${realm}`);
    await using tokens = await startServer({ 'auth.tokens.file': folder.paths.tokens });
    expect(await challenge(tokens, basic('alice'))).toBe(`Bearer ${realm}`);
  });

  it.each([
    ['no credential', NONE, 401, 'send an Authorization header'],
    ['a wrong password', basic('alice', 'bobsecret'), 401, 'wrong user or password'],
    ['a wrong user', basic('mallory', 'alicesecret'), 401, 'wrong user or password'],
    ['an empty password', basic('alice', ''), 401, 'wrong user or password'],
    ['a hash as a password', basic('alice', ALICE), 401, 'wrong user or password'],
    ['an unknown token', bearer(9), 401, 'unknown token'],
    [
      'a hash as a token',
      { Authorization: `Bearer ${hashToken(tokenOf(1)).slice(7)}` },
      401,
      'unknown token',
    ],
    ['another scheme', { Authorization: 'Digest x' }, 401, 'not valid Basic or Bearer'],
    ['a token without the scope', bearer(2), 403, 'needs the scope write'],
  ])('with %s: an error as any other, and nothing is stored', async (_what, headers, status, message) => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer(folder.settings);
    const answer = await ask(server, 'POST', '/event?secret=1', headers);
    expect(answer.status).toBe(status);
    const body = JSON.parse(answer.text) as { error: string; field: string };
    expect(body).toEqual({ error: expect.stringContaining(message) as string, field: 'Authorization' });
    expect((await ask(server, 'GET', '/metrics', bearer(2))).text).not.toContain('secret="1"');
  });

  it('leaves no password, no token and no hash in the log or in an answer', async () => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer(folder.settings);
    const answers: string[] = [];
    for (const headers of [
      basic('alice'),
      basic('alice', 'nearly-right'),
      basic('nearly-right', 'x'),
      bearer(1),
      bearer(2),
      { Authorization: `Bearer ${tokenOf(1)}nearly-right` },
      { Authorization: 'nearly-right' },
    ]) {
      const { status, headers: got, text } = await ask(server, 'POST', '/event?a=1', headers);
      answers.push(JSON.stringify([status, ...got, text]));
    }
    writeFileSync(folder.paths.web, `${USERS}  broken: [nearly-right\n`);
    writeFileSync(folder.paths.tokens, `${TOKENS}- name: x\n  scopes: [write]\n  hash: nearly-right\n`);
    await server.access.check();
    const all = answers.join('\n') + server.log.join('\n');
    expect(all).toContain('change not applied');
    for (const secret of [
      'nearly-right',
      'alicesecret',
      tokenOf(1),
      tokenOf(2),
      hashToken(tokenOf(1)).slice(7),
      '$2y$',
    ])
      expect(all).not.toContain(secret);
  });

  it('may not try passwords without end; who was let in before still is, and so are tokens', async () => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer(folder.settings);
    expect(await statusOf(server, 'GET', '/', basic('alice'))).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 40; i += 1)
      statuses.push(await statusOf(server, 'GET', '/', basic('alice', `guess ${i}`)));
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(30);
    expect(statuses.at(-1)).toBe(429);
    expect(await statusOf(server, 'GET', '/', basic('alice'))).toBe(200);
    expect(await statusOf(server, 'GET', '/', bearer(3))).toBe(200);
    const last = await ask(server, 'GET', '/', basic('bob', 'guess'));
    expect(last.headers.get('retry-after')).toBe('1');
  });

  it('may not make up addresses to try more of them: the socket counts', async () => {
    using folder = files({ web: USERS });
    await using server = await startServer(folder.settings);
    const statuses: number[] = [];
    for (let i = 0; i < 40; i += 1)
      statuses.push(
        await statusOf(server, 'GET', '/', {
          ...basic('alice', `guess ${i}`),
          'X-Real-Ip': `198.51.100.${i}`,
        }),
      );
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(30);
    expect(statuses.at(-1)).toBe(429);
  });

  it('the right one gets its turn while others guess, and who guesses too much at once is refused', async () => {
    using folder = files({ web: `basic_auth_users:\n  alice: ${hashSync('alicesecret', 10)}\n` });
    await using server = await startServer(folder.settings);
    const statuses: number[] = [];
    const asks = async (localAddress: string, password: string) => {
      const client = await RawClient.connect(server.port, { localAddress });
      client.send(request('GET', '/', basic('alice', password)));
      const { status, body } = await client.response();
      statuses.push(status);
      client.end();
      return { status, body };
    };
    const flood = Array.from({ length: 40 }, (_, n) => asks(`127.0.0.${2 + (n % 2)}`, `${n}`));
    await expect.poll(() => statuses.length).toBeGreaterThan(0);
    expect((await asks('127.0.0.4', 'alicesecret')).status).toBe(200);
    const guessed = await Promise.all(flood);
    const refused = guessed.filter(({ status }) => status === 429);
    expect(refused.some(({ body }) => body.includes('too many passwords are being compared'))).toBe(true);
  });

  it('is told so before the body is read', async () => {
    using folder = files({ tokens: TOKENS });
    await using server = await startServer(folder.settings);
    const client = await RawClient.connect(server.port);
    client.send(
      'POST /event HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100000000\r\n\r\n',
    );
    expect((await client.response()).status).toBe(401);
  });
});

describe('the files are read again when they change', () => {
  it('a token that is added opens, and one that is removed does no longer', async () => {
    using folder = files({ tokens: entryOf('one', 1, 'write') });
    await using server = await startServer(folder.settings);
    writeFileSync(folder.paths.tokens, entryOf('two', 2, 'write'));
    await server.access.check();
    expect(await statusOf(server, 'POST', '/event?a=1', bearer(1))).toBe(401);
    expect(await statusOf(server, 'POST', '/event?a=1', bearer(2))).toBe(200);
  });

  it('within a second or so, without being asked', async () => {
    using folder = files({ tokens: '' });
    await using server = await startServer(folder.settings);
    expect(await statusOf(server, 'GET', '/', bearer(1))).toBe(401);
    writeFileSync(folder.paths.tokens, entryOf('one', 1, 'write'));
    await expect.poll(() => statusOf(server, 'GET', '/', bearer(1)), { timeout: 5_000 }).toBe(200);
  });

  it('a password that is changed', async () => {
    using folder = files({ web: `basic_auth_users:\n  alice: ${ALICE}\n` });
    await using server = await startServer(folder.settings);
    expect(await statusOf(server, 'GET', '/', basic('alice'))).toBe(200);
    writeFileSync(folder.paths.web, `basic_auth_users:\n  alice: ${BOB}\n`);
    await server.access.check();
    expect(await statusOf(server, 'GET', '/', basic('alice'))).toBe(401);
    expect(await statusOf(server, 'GET', '/', basic('alice', 'bobsecret'))).toBe(200);
  });

  it.each([
    ['empty, as a file is that is just being written', ''],
    ['without users', 'http_server_config:\n  http2: true\n'],
    ['broken', 'basic_auth_users: {'],
  ])('but never open what was closed: %s', async (_what, text) => {
    using folder = files({ web: USERS });
    await using server = await startServer(folder.settings);
    writeFileSync(folder.paths.web, text);
    await server.access.check();
    expect(await statusOf(server, 'GET', '/metrics')).toBe(401);
    expect(await statusOf(server, 'GET', '/metrics', basic('alice'))).toBe(200);
    expect(server.log.filter((line) => line.includes('change not applied'))).toHaveLength(1);
    rmSync(folder.paths.web);
    await server.access.check();
    expect(await statusOf(server, 'GET', '/metrics')).toBe(401);
  });

  it('headers go onto every answer, errors too, and a page keeps its own', async () => {
    const web = (frame: string) =>
      `http_server_config:\n  headers:\n    X-Frame-Options: ${frame}\n    Content-Security-Policy: default-src 'self'\n`;
    using folder = files({ web: web('deny') });
    await using server = await startServer(folder.settings);
    for (const path of ['/healthz', '/metrics', '/nothing-here'])
      expect((await ask(server, 'GET', path)).headers.get('x-frame-options'), path).toBe('deny');
    expect((await ask(server, 'GET', '/metrics')).headers.get('content-security-policy')).toBe(
      "default-src 'self'",
    );
    const page = await ask(server, 'GET', '/', { Accept: 'text/html' });
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    writeFileSync(folder.paths.web, web('sameorigin'));
    await server.access.check();
    expect((await ask(server, 'GET', '/healthz')).headers.get('x-frame-options')).toBe('sameorigin');
  });
});

describe("scrapers.byUser: a scraper's place is its user's", () => {
  const idsIn = async (server: RunningServer) => {
    const { text } = await ask(server, 'GET', '/api/v1/scrapers', bearer(3));
    const { scrapers } = JSON.parse(text) as { scrapers: { id: string; identifiedBy: string }[] };
    return scrapers.map(({ id, identifiedBy }) => `${id} by ${identifiedBy}`).sort();
  };
  const events = async (server: RunningServer, path: string, headers: Record<string, string>) =>
    (await ask(server, 'GET', path, headers)).text
      .split('\n')
      .filter((line) => line.startsWith('events_to_metrics{'));

  it('whatever the request says, it stays below the name of the user or the token', async () => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer({ ...folder.settings, 'scrapers.byUser': true });
    for (const [path, headers] of [
      ['/metrics', basic('alice')],
      ['/metrics?scraper=alice', basic('alice')],
      ['/metrics?scraper=a', basic('alice')],
      ['/metrics?scraper=alice%2Fa', basic('alice')],
      ['/metrics', { ...basic('bob'), 'X-Scraper-Id': 'alice' }],
      ['/metrics?scraper=b', { ...basic('bob'), 'X-Scraper-Id': 'x' }],
      ['/metrics', bearer(2)],
      // Who may do everything may not do this: it would take events away.
      ['/metrics?scraper=alice', bearer(3)],
    ] as const)
      expect(await statusOf(server, 'GET', path, headers)).toBe(200);
    expect(await idsIn(server)).toEqual(
      ['alice', 'alice/a', 'bob/alice', 'bob/x', 'boss/alice', 'reader'].map((id) => `${id} by user`).sort(),
    );
  });

  it("nobody reads another's events away, nor sees what waits for it", async () => {
    using folder = files({ web: USERS });
    await using server = await startServer({ ...folder.settings, 'scrapers.byUser': true });
    expect(await events(server, '/metrics', basic('alice'))).toEqual([]);
    expect(await statusOf(server, 'POST', '/event?n=1', basic('bob'))).toBe(200);
    await events(server, '/metrics?scraper=alice', basic('bob'));
    await events(server, '/metrics', { ...basic('bob'), 'X-Scraper-Id': 'alice' });
    expect(await events(server, '/metrics', basic('alice'))).toHaveLength(1);
  });

  it('without it, ids are believed from everybody, as before', async () => {
    using folder = files({ web: USERS, tokens: TOKENS });
    await using server = await startServer(folder.settings);
    await statusOf(server, 'GET', '/metrics?scraper=alice', basic('bob'));
    await statusOf(server, 'GET', '/metrics', basic('bob'));
    expect(await idsIn(server)).toEqual(['127.0.0.1 by address', 'alice by parameter']);
  });

  it('needs somebody to bind places to', async () => {
    await expect(startServer({ 'scrapers.byUser': true })).rejects.toThrow(
      'scrapers.byUser needs users or tokens',
    );
  });
});

describe('more than a limit allows is a 429 that says when to come again', () => {
  const posts = async (server: RunningServer, count: number, headers: Record<string, string> = {}) => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i += 1)
      statuses.push(await statusOf(server, 'POST', `/event?n=${i}`, headers));
    return statuses;
  };
  const count = (statuses: readonly number[], status: number) =>
    statuses.filter((each) => each === status).length;

  it('limits.perClient: each address has its own burst, and what is refused is not stored', async () => {
    await using server = await startServer({ 'limits.perClient': 1, 'limits.perClientBurst': 5 });
    const mine = await posts(server, 20);
    expect(count(mine.slice(0, 5), 200)).toBe(5);
    expect(count(mine, 429)).toBeGreaterThan(10);
    expect(count(await posts(server, 5, { 'X-Real-Ip': '198.51.100.1' }), 200)).toBe(5);
    const refused = await ask(server, 'POST', '/event?n=x');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.text).toContain('limits.perClient');
    expect((await ask(server, 'GET', '/metrics')).text).not.toContain('n="x"');
  });

  it('limits.total: all addresses share it, and what one client is refused does not count in it', async () => {
    await using server = await startServer({
      'limits.perClient': 1,
      'limits.perClientBurst': 2,
      'limits.total': 1,
      'limits.totalBurst': 6,
    });
    await posts(server, 20, { 'X-Real-Ip': '198.51.100.1' });
    expect(count(await posts(server, 2, { 'X-Real-Ip': '198.51.100.2' }), 200)).toBe(2);
    expect(count(await posts(server, 2, { 'X-Real-Ip': '198.51.100.3' }), 200)).toBe(2);
    const last = await ask(server, 'POST', '/event?n=x', { 'X-Real-Ip': '198.51.100.4' });
    expect({ status: last.status, names: last.text.includes('limits.total') }).toEqual({
      status: 429,
      names: true,
    });
  });

  it('scrapes, pages and health checks go on while posts are refused', async () => {
    await using server = await startServer({
      'limits.total': 1,
      'limits.totalBurst': 1,
      'limits.perClient': 1,
      'limits.perClientBurst': 1,
    });
    expect(count(await posts(server, 10), 429)).toBeGreaterThan(7);
    for (const path of ['/metrics', '/metrics?peek=true', '/healthz', '/-/ready', '/', '/api/v1/scrapers'])
      for (let i = 0; i < 5; i += 1) expect(await statusOf(server, 'GET', path), path).toBe(200);
  });

  it('rate_limit of the web configuration binds every request, as in an exporter, and can be changed', async () => {
    using folder = files({ web: 'rate_limit:\n  interval: 1m\n  burst: 2\n' });
    await using server = await startServer(folder.settings);
    expect([
      await statusOf(server, 'GET', '/healthz'),
      await statusOf(server, 'GET', '/metrics'),
      await statusOf(server, 'GET', '/healthz'),
    ]).toEqual([200, 200, 429]);
    writeFileSync(folder.paths.web, '');
    await server.access.check();
    expect(await statusOf(server, 'GET', '/healthz')).toBe(200);
  });

  it('no limit is set unless somebody sets one', async () => {
    await using server = await startServer();
    expect(count(await posts(server, 300), 200)).toBe(300);
  });
});
