import { once } from 'node:events';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import { ServerProcess, spawnServer, temporaryFolder } from '../support/server.ts';

const ANY_PORT = ['--server.host=127.0.0.1', '--server.port=0'];

/** Runs the server with something that it can't start with. */
async function refused(flags: readonly string[], env: Record<string, string> = {}, cwd?: string) {
  using folder = temporaryFolder();
  const { exited, output } = spawnServer(flags, { cwd: cwd ?? folder.path, env });
  return { code: await exited, output: output() };
}

const eventsIn = (body: string) => body.split('\n').filter((line) => line.startsWith('events_to_metrics'));
const scrape = async (url: string, query = '') =>
  eventsIn(await (await fetch(`${url}/metrics${query}`)).text());
const post = async (url: string, query: string) =>
  (await fetch(`${url}/event?${query}`, { method: 'POST' })).status;

describe('a start that can not be ends with one clear line and exit code 2', () => {
  it.each([
    ['an unknown flag', ['--server.prot=1'], {}, /--server\.prot.*server\.port/],
    ['a bad flag', ['--server.port=http'], {}, /server\.port \(flag --server\.port\)/],
    [
      'a bad variable',
      [],
      { ONESHOT_SCRAPERS_TIMEOUT: '10' },
      /scrapers\.timeout \(environment ONESHOT_SCRAPERS_TIMEOUT\).*unit/,
    ],
    ['a bad LOG_LEVEL', [], { LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
    ['a bad USE_EXPLICIT_TIMESTAMPS', [], { USE_EXPLICIT_TIMESTAMPS: 'yes' }, /USE_EXPLICIT_TIMESTAMPS/],
    ["Prometheus' own metric as the events' name", ['--event.metric=up'], {}, /event\.metric "up"/],
    ['a proxy that is no address', ['--server.trustedProxies=me'], {}, /server\.trustedProxies.*"me"/],
    ['a host that is none of this machine', ['--server.host=203.0.113.1'], {}, /203\.0\.113\.1/],
    ['a file that is not there', ['--config.file=none.json'], {}, /none\.json/],
    [
      'a webhook that points nowhere',
      ['--webhooks={"deploys":{"labels":{"env":"env"}}}'],
      {},
      /webhooks\.deploys\.labels\.env "env" is not a reference/,
    ],
    [
      "a webhook's secret that is not there",
      [],
      { ONESHOT_WEBHOOKS: '{"github":{"secret":{"env":"GITHUB_SECRET"}}}' },
      /webhooks\.github\.secret: the environment variable "GITHUB_SECRET" is missing/,
    ],
    [
      "a sink's CA that is not there",
      ['--sinks={"db":{"url":"https://h/","tls":{"caFile":"/nowhere/ca.pem"}}}'],
      {},
      /sinks\.db\.tls\.caFile: can't read "\/nowhere\/ca\.pem"/,
    ],
    [
      "a sink's expression that is none",
      ['--sinks={"db":{"url":"https://h/","select":["{a=~\'(\'}"]}}'],
      {},
      /sinks\.db\.select\[0\]: a: .*missing closing/,
    ],
  ])('%s', async (_what, flags, env, message) => {
    const { code, output } = await refused([...flags], env);
    expect({ code, lines: output.trimEnd().split('\n').length, output }).toMatchObject({ code: 2, lines: 1 });
    expect(output).toMatch(message);
  });

  it('a broken config.json', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'config.json'), '{"server": {"port": 8090,}}');
    const { code, output } = await refused([], {}, folder.path);
    expect(code).toBe(2);
    expect(output).toMatch(/^oneShotMetricsServer: config\.json is not valid JSON at line 1, column 26.*\n$/);
  });

  it('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, output } = await refused(['--server.host=127.0.0.1', `--server.port=${port}`]);
    other.close();
    expect({ code, output }).toEqual({
      code: 2,
      output: `oneShotMetricsServer: 127.0.0.1:${port} is in use by another process; stop it, or choose another server.port\n`,
    });
  });

  it('a port in use, of IPv6', async ({ skip }) => {
    const other = createServer().listen(0, '::1');
    await once(other, 'listening').catch(() => skip('this machine has no IPv6'));
    const { port } = other.address() as AddressInfo;
    const { output } = await refused(['--server.host=::1', `--server.port=${port}`]);
    other.close();
    expect(output).toContain(`[::1]:${port} is in use by another process`);
  });

  it('a log that is a file of something else, which is left as it was', async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'data'));
    const file = join(folder.path, 'data', 'events.db');
    writeFileSync(file, 'not a database, but of some length: '.repeat(50));
    const { code, output } = await refused(ANY_PORT, {}, folder.path);
    expect(code).toBe(2);
    expect(output).toMatch(/events\.db/);
    expect(output.trimEnd().split('\n')).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toMatch(/^not a database/);
  });

  it('a folder that can not be made', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'data'), '');
    const { code, output } = await refused(ANY_PORT, {}, folder.path);
    expect(code).toBe(2);
    expect(output.trimEnd().split('\n')).toHaveLength(1);
  });

  it('a log that another server has open', async () => {
    using folder = temporaryFolder();
    const first = await ServerProcess.start([], { cwd: folder.path });
    const { code, output } = await refused(ANY_PORT, {}, folder.path);
    expect(code).toBe(2);
    expect(output).toMatch(/open/);
    expect(output.trimEnd().split('\n')).toHaveLength(1);
    expect(await post(first.url, 'a=1')).toBe(200);
    expect(await first.end('SIGTERM')).toBe(0);
  });
});

describe('a start', () => {
  it('says where it listens, where the log is, and one line to try, which works', async () => {
    using folder = temporaryFolder();
    const server = await ServerProcess.start([], { cwd: folder.path });
    const lines = server.output().split('\n');
    expect(lines[0]).toMatch(/^oneShotMetricsServer \d+\.\d+\.\d+$/);
    expect(lines[1]).toBe(`  listens  http://127.0.0.1:${server.port}`);
    expect(lines[2]).toBe('  log      ./data (synced before each answer)');
    const [, url = ''] = /try {6}curl -X POST '([^']+)'/.exec(lines[3] ?? '') ?? [];
    expect((await fetch(url, { method: 'POST' })).status).toBe(200);
    expect(await server.end('SIGINT')).toBe(0);
  });

  it.each([
    ['--help', /^oneshot serve --help /m],
    ['-h', /^oneshot serve --help /m],
    ['--version', /^oneShotMetricsServer \d+\.\d+\.\d+\n$/],
    ['--print-config', /^server\.port = 8090 +# default$/m],
  ])('%s prints and ends with 0', async (flag, text) => {
    const { code, output } = await refused([flag]);
    expect(code).toBe(0);
    expect(output).toMatch(text);
  });

  it("takes config.json of the replaced server, with the environment's port above it", async () => {
    using folder = temporaryFolder();
    const file = {
      app: { name: 'Events to metrics', debug: true },
      server: { host: '127.0.0.1', maintenance: false, port: 1, timeout: 10 },
    };
    writeFileSync(join(folder.path, 'config.json'), JSON.stringify(file));
    const { output, exited } = spawnServer(['--print-config'], {
      cwd: folder.path,
      env: { ONESHOT_SERVER_PORT: '8091' },
    });
    expect(await exited).toBe(0);
    expect(output()).toMatch(/^server\.port = 8091 +# environment ONESHOT_SERVER_PORT$/m);
    expect(output()).toMatch(/^server\.host = 127\.0\.0\.1 +# config\.json$/m);
  });

  it('is not troubled by what Kubernetes adds for a Service of its name', async () => {
    const env = { ONESHOT_SERVER_PORT: 'tcp://10.0.0.1:8090', ONESHOT_SERVER_SERVICE_HOST: '10.0.0.1' };
    const { code, output } = await refused(['--print-config'], env);
    expect(code).toBe(0);
    expect(output).toMatch(/^server\.port = 8090 +# default$/m);
  });
});

describe('what was accepted', () => {
  it('G4: is still there after kill -9 between post and scrape', async () => {
    using folder = temporaryFolder();
    const killed = await ServerProcess.start([], { cwd: folder.path });
    expect(await post(killed.url, 'type=test&message=cron_test_manual&seconds=42')).toBe(200);
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    const server = await ServerProcess.start([], { cwd: folder.path });
    const sample = 'events_to_metrics{message="cron_test_manual",seconds="42",type="test"} 1';
    expect((await scrape(server.url)).filter((line) => line === sample)).toHaveLength(1);
    expect((await scrape(server.url)).filter((line) => line === sample)).toHaveLength(0);
    expect((await scrape(server.url, '?scraper=b')).filter((line) => line === sample)).toHaveLength(1);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('G4: a scraper that was known, and posts while the server stops, are not lost over a restart', async () => {
    using folder = temporaryFolder();
    const before = await ServerProcess.start(['--scrapers.lookback=0'], { cwd: folder.path });
    await scrape(before.url);
    expect(await post(before.url, 'a=1')).toBe(200);
    expect(await before.end('SIGTERM')).toBe(0);
    const after = await ServerProcess.start(['--scrapers.lookback=0'], { cwd: folder.path });
    expect(await scrape(after.url)).toContain('events_to_metrics{a="1"} 1');
    expect(await after.end('SIGTERM')).toBe(0);
  });

  it('G3, G4: a client that ends at its scrape timeout, long after a stop ended the other side, is doubted', async () => {
    using folder = temporaryFolder();
    const before = await ServerProcess.start([], { cwd: folder.path });
    await post(before.url, 'a=1');
    const client = await RawClient.connect(before.port, { allowHalfOpen: true });
    client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '1.5' });
    await client.response();
    const ended = before.end('SIGTERM');
    await sleep(1_500);
    client.end();
    expect(await ended).toBe(0);
    const after = await ServerProcess.start([], { cwd: folder.path });
    expect(await scrape(after.url)).toContain('events_to_metrics{a="1"} 1');
    expect(await after.end('SIGTERM')).toBe(0);
  });

  it('G2, G4: a client that ends its own side when a stop comes close to its scrape timeout has had its events', async () => {
    using folder = temporaryFolder();
    const before = await ServerProcess.start([], { cwd: folder.path });
    await post(before.url, 'a=1');
    const client = await RawClient.connect(before.port);
    client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '0.6' });
    expect((await client.response()).body).toContain('events_to_metrics{a="1"} 1');
    await sleep(500);
    expect(await before.end('SIGTERM')).toBe(0);
    const after = await ServerProcess.start([], { cwd: folder.path });
    expect(await scrape(after.url)).not.toContain('events_to_metrics{a="1"} 1');
    expect(await after.end('SIGTERM')).toBe(0);
  });

  it.each([
    ['ends its own side when the server does: delivered', true, 0],
    ['hangs: unproven', false, 1],
  ])('G4: a client that has read its scrape at a stop, and %s', async (_what, answers, unproven) => {
    using folder = temporaryFolder();
    const before = await ServerProcess.start(['--server.stopTimeout=500ms'], { cwd: folder.path });
    await post(before.url, 'a=1');
    const client = await RawClient.connect(before.port, { allowHalfOpen: true });
    client.get('/metrics');
    expect((await client.response()).body).toContain('events_to_metrics{a="1"} 1');
    if (answers) client.socket.on('end', () => client.end());
    expect(await before.end('SIGTERM')).toBe(0);
    const after = await ServerProcess.start([], { cwd: folder.path });
    const lines = await scrape(after.url);
    expect(lines).toContain(`events_to_metrics_deliveries_total{outcome="unproven"} ${unproven}`);
    expect(lines).not.toContain('events_to_metrics{a="1"} 1');
    expect(await after.end('SIGTERM')).toBe(0);
  });

  it('carries its own time where USE_EXPLICIT_TIMESTAMPS is true in any case', async () => {
    using folder = temporaryFolder();
    const { exited, output, child } = spawnServer(ANY_PORT, {
      cwd: folder.path,
      env: { USE_EXPLICIT_TIMESTAMPS: 'TRUE' },
    });
    await expect.poll(output, { timeout: 15_000 }).toMatch(/listens/);
    const [, url = ''] = /listens {2}(http:\S+)/.exec(output()) ?? [];
    await post(url, 'a=1');
    const now = Date.now();
    const time = Number(
      (await scrape(url)).find((line) => line.startsWith('events_to_metrics{a="1"} 1 '))?.split(' ')[2],
    );
    expect(Math.abs(now - time)).toBeLessThan(5_000);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });
});

it('while it stops it is not ready, and takes nothing in that it could not keep', async () => {
  using folder = temporaryFolder();
  const server = await ServerProcess.start([], { cwd: folder.path });
  const client = await RawClient.connect(server.port);
  const status = async (path: string, method = 'GET') => (await fetch(server.url + path, { method })).status;
  expect([await status('/-/ready'), await status('/healthz')]).toEqual([200, 200]);
  // A connection in the midst of a request is waited for.
  const head = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '3' };
  client.send(request('POST', '/event', head));
  await new Promise((resolve) => setTimeout(resolve, 100));
  server.child.kill('SIGTERM');
  await expect.poll(() => status('/-/ready'), { interval: 10 }).toBe(503);
  expect([await status('/healthz'), await status('/event?b=1', 'POST'), await status('/metrics')]).toEqual([
    200, 503, 503,
  ]);
  client.send('a=1');
  expect((await client.response()).status).toBe(200);
  expect(await server.exited).toBe(0);
  const after = await ServerProcess.start([], { cwd: folder.path });
  expect((await scrape(after.url)).filter((line) => line.startsWith('events_to_metrics{'))).toEqual([
    'events_to_metrics{a="1"} 1',
  ]);
  expect(await after.end('SIGTERM')).toBe(0);
});

it('a post in the midst of a stop is either stored or refused, never answered falsely', async () => {
  using folder = temporaryFolder();
  const server = await ServerProcess.start([], { cwd: folder.path });
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(server.port)));
  const accepted: number[] = [];
  const posting = clients.map(async (client, i) => {
    try {
      for (let n = i; ; n += clients.length) {
        client.send(request('POST', `/event?n=${n}`, { 'Content-Length': '0' }));
        if ((await client.response()).status === 200) accepted.push(n);
      }
    } catch {
      // It stopped.
    }
  });
  await expect.poll(() => accepted.length).toBeGreaterThan(200);
  expect(await server.end('SIGTERM')).toBe(0);
  await Promise.all(posting);
  const after = await ServerProcess.start([], { cwd: folder.path });
  const got = new Set((await scrape(after.url)).map((line) => Number(/n="(\d+)"/.exec(line)?.[1])));
  expect(accepted.filter((n) => !got.has(n))).toEqual([]);
  expect(await after.end('SIGTERM')).toBe(0);
});
