import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** `alicesecret`, at the least cost there is. */
const ALICE = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';
const BASIC = { Authorization: `Basic ${Buffer.from('alice:alicesecret').toString('base64')}` };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const IMAGE = { Accept: 'image/avif,image/webp,*/*;q=0.8', 'User-Agent': FIREFOX };

type Headers = Readonly<Record<string, string>>;

/** A request as it is written down: no library sends such headers. */
async function ask(port: number, line: string, headers: Headers = {}, body?: string) {
  const all = { Host: `localhost:${port}`, ...headers };
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [...Object.entries(all).map(([name, value]) => `${name}: ${value}`), ...length];
  const client = await RawClient.connect(port);
  client.send(`${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
  const answer = await client.response();
  client.end();
  return answer;
}

/** A server with the defaults, for what leaves nothing behind that others look at. */
const shared = (() => {
  let started: Promise<RunningServer> | undefined;
  afterAll(async () => (await started)?.[Symbol.asyncDispose]());
  return () => (started ??= startServer());
})();

const json = (body: string) => JSON.parse(body) as { error: string; field: string };

describe('a page of another site', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
    await ask(server.port, 'GET /metrics?scraper=prometheus-a');
    await ask(server.port, 'POST /event?n=kept');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const CAUSED: readonly (readonly [string, Headers])[] = [
    ['cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['with a site that nobody knows', { 'Sec-Fetch-Site': 'elsewhere' }],
    ['of another origin', { Origin: 'https://evil.example' }],
    ['of another port', { Origin: 'http://localhost:3000' }],
    ['of no origin', { Origin: 'null' }],
    ['of an extension', { Origin: 'chrome-extension://abcdef', 'Sec-Fetch-Site': 'none' }],
    [
      'with a form',
      { Origin: 'https://evil.example', 'Content-Type': 'application/x-www-form-urlencoded', ...IMAGE },
    ],
  ];
  const LINES = [
    'POST /event?n=1',
    'POST /alerts',
    'POST /api/annotations',
    'POST /webhook/github',
    'POST /nowhere',
    'DELETE /api/v1/scrapers/prometheus-a',
    'GET /metrics?scraper=prometheus-a',
    'GET /metrics?scraper=prometheus-a&peek=false',
  ];
  it.each(CAUSED.flatMap(([how, headers]) => LINES.map((line) => [line, how, headers] as const)))(
    '%s %s is a 403 that says what to do',
    async (line, _how, headers) => {
      const { status, body } = await ask(server.port, line, headers);
      expect(status).toBe(403);
      expect(json(body).error).toContain('server.allowedOrigins');
      expect(['Origin', 'Sec-Fetch-Site']).toContain(json(body).field);
    },
  );

  it('is refused before its body is there', async () => {
    const client = await RawClient.connect(server.port);
    client.send(
      'POST /event HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
    );
    expect((await client.response()).status).toBe(403);
    client.end();
  });

  it('has taken and stored nothing by all that, nor has it made anybody known', async () => {
    const scrape = await ask(server.port, 'GET /metrics?scraper=prometheus-a');
    expect(scrape.body).toContain('events_to_metrics{n="kept"} 1');
    expect(scrape.body).not.toContain('{n="1"}');
    const { body } = await ask(server.port, 'GET /api/v1/scrapers');
    expect((JSON.parse(body) as { scrapers: object[] }).scrapers).toHaveLength(1);
  });

  it('is refused however the lane sees it, and whatever came before on the connection', async () => {
    const client = await RawClient.connect(server.port);
    const post = (more: string) => client.send(`POST /event?n=l HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
    post('');
    expect((await client.response()).status).toBe(200);
    post('Sec-Fetch-Site: cross-site\r\n');
    expect((await client.response()).status).toBe(403);
    client.end();
  });

  it('may look, which its browser keeps from it', async () => {
    const { status } = await ask(server.port, 'GET /metrics?peek=true', { 'Sec-Fetch-Site': 'cross-site' });
    expect(status).toBe(200);
  });
});

describe('cached credentials do not help a page', () => {
  it.each([
    ['POST /event?n=1', {}],
    ['POST /event?n=1', BASIC],
    ['GET /metrics?scraper=a', BASIC],
  ])('%s %j is a 403, and no password is compared', async (line, headers) => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'web.yml');
    writeFileSync(file, `basic_auth_users:\n  alice: ${ALICE}\n`);
    await using server = await startServer({ 'web.config.file': file });
    const { status, head } = await ask(server.port, line, { ...headers, 'Sec-Fetch-Site': 'cross-site' });
    expect(status).toBe(403);
    expect(head.toLowerCase()).not.toContain('www-authenticate');
    expect((await ask(server.port, line, BASIC)).status).toBe(200);
  });
});

describe('a page of the server itself, and whoever is no page', () => {
  const GOOD: readonly (readonly [string, Headers])[] = [
    ['a program', {}],
    ['its own page', { 'Sec-Fetch-Site': 'same-origin' }],
    [
      'its own page behind a proxy that changes the Host',
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://a.b' },
    ],
    ['a person', { 'Sec-Fetch-Site': 'none' }],
    ['an origin that is the host', { Origin: 'http://events.svc:8090', Host: 'events.svc:8090' }],
    ['the same in another case', { Origin: 'http://EVENTS.svc:8090', Host: 'Events.SVC:8090' }],
    ['https in front', { Origin: 'https://events.svc', Host: 'events.svc' }],
    ['https in front, with its port', { Origin: 'https://events.svc', Host: 'events.svc:443' }],
    [
      "Node's fetch",
      { 'Sec-Fetch-Mode': 'cors', 'User-Agent': 'node', 'Accept-Encoding': 'br, gzip, deflate' },
    ],
  ];
  it.each(GOOD)('may post: %s', async (_who, headers) => {
    const { port } = await shared();
    expect((await ask(port, 'POST /event?n=1', headers)).status).toBe(200);
  });

  it.each([
    [['https://grafana.example'], 'https://grafana.example', 200],
    [['HTTPS://Grafana.Example'], 'https://grafana.example', 200],
    [['https://grafana.example'], 'https://grafana.example.evil.example', 403],
    [['https://grafana.example'], 'http://grafana.example', 403],
    [['*'], 'https://evil.example', 200],
  ])('with server.allowedOrigins %j a page of %s gets %i', async (origins, origin, status) => {
    await using server = await startServer({ 'server.allowedOrigins': origins });
    const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: origin };
    expect((await ask(server.port, 'POST /event?n=1', headers)).status).toBe(status);
  });
});

describe('GET /metrics in a browser', () => {
  const BROWSERS: readonly (readonly [string, Headers])[] = [
    ['by its address', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' }],
    ['by a link elsewhere', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'cross-site' }],
    ['as a document', { 'Sec-Fetch-Dest': 'document' }],
    ['that sends no more than what it wants', { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
    ['as an image, by plain http beyond this machine', { ...IMAGE, Host: '10.0.0.5:8090' }],
  ];
  it.each(BROWSERS)('%s shows, and takes nothing', async (_how, headers) => {
    await using server = await startServer();
    await ask(server.port, 'GET /metrics?scraper=a');
    await ask(server.port, 'POST /event?n=1');
    for (const _time of [1, 2]) {
      const shown = await ask(server.port, 'GET /metrics?scraper=a', headers);
      expect(shown.status).toBe(200);
      expect(shown.head.toLowerCase()).toContain(
        'x-oneshot-note: shown in a browser, so nothing was consumed',
      );
      expect(shown.body).toMatch(/^# Shown in a browser, so nothing was consumed/);
      expect(shown.body).toContain('{n="1"} 1');
    }
    const taken = await ask(server.port, 'GET /metrics?scraper=a', { 'User-Agent': 'Prometheus/3.5.3' });
    expect(taken.body).toContain('{n="1"} 1');
    expect(taken.body).not.toContain('# Shown');
  });
});

describe('a host', () => {
  const statusOf = async (host: string, change: Partial<Settings> = {}, headers: Headers = {}) => {
    await using own = Object.keys(change).length > 0 ? await startServer(change) : undefined;
    const { port } = own ?? (await shared());
    const answers = [];
    for (const line of [
      'GET /metrics?peek=true',
      'GET /api/v1/events',
      'POST /event?n=1',
      'DELETE /api/v1/scrapers/a',
      'GET /',
    ])
      answers.push((await ask(port, line, { Host: host, ...headers })).status);
    return answers;
  };
  const DONE = [200, 200, 200, 404, 200];
  const MISDIRECTED = [421, 421, 421, 421, 421];

  it.each([
    'localhost',
    'LOCALHOST.:8090',
    'a.localhost',
    '127.0.0.1:8090',
    '10.1.2.3',
    '[::1]:8090',
    'events:8090',
    'events-to-metrics.ns.svc:8090',
    'events-to-metrics.ns.svc.cluster.local',
    'host.docker.internal:8090',
    'pi.local',
    '',
  ])('%j is taken by default', async (host) => expect(await statusOf(host)).toEqual(DONE));

  it.each([
    'evil.example',
    'evil.example:8090',
    'EVIL.example.',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'a.svc.evil.example',
    'evil.example:80:90',
    '[::1].evil.example',
    '[evil.example]',
    'evil.example@localhost',
    'user@localhost',
    'evil.example/.local',
    'evil.example?.local',
    'evil..local',
    '.local',
    '.',
  ])('%j is not', async (host) => expect(await statusOf(host)).toEqual(MISDIRECTED));

  it.each([
    ['events.example', ['events.example'], DONE],
    ['Events.Example.:443', ['events.example'], DONE],
    ['events.example', ['EVENTS.example.:8090'], DONE],
    ['a.b.example', ['*.example'], DONE],
    ['example', ['*.example'], DONE],
    ['events.example.evil.test', ['events.example'], MISDIRECTED],
    ['badevents.example', ['events.example', '*.events.example'], MISDIRECTED],
    ['evil.test', ['*'], DONE],
  ])('%s with server.allowedHosts %j', async (host, allowed, answers) =>
    expect(await statusOf(host, { 'server.allowedHosts': allowed })).toEqual(answers),
  );

  it('that is not known is told what to set, and health checks answer all the same', async () => {
    await using server = await startServer();
    const { body } = await ask(server.port, 'GET /metrics', { Host: 'evil.example' });
    expect(json(body).error).toContain('add it to server.allowedHosts');
    expect(json(body)).toMatchObject({ field: 'Host' });
    for (const path of ['/healthz', '/-/healthy', '/-/ready'])
      expect((await ask(server.port, `GET ${path}`, { Host: 'evil.example' })).status).toBe(200);
  });

  it.each(['POST /event?a=b', 'GET /metrics'])('twice is a 400: %s', async (line) => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    client.send(`${line} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n`);
    const { status, body } = await client.response();
    expect(status).toBe(400);
    expect(json(body)).toMatchObject({ field: 'Host' });
    client.end();
  });

  it('matters not to what no browser can have sent', async () => {
    const go = { 'Accept-Encoding': 'gzip', 'User-Agent': 'Prometheus/3.5.3' };
    expect(await statusOf('events.example', {}, go)).toEqual(DONE);
    expect(await statusOf('events.example', {}, { 'Accept-Encoding': 'gzip, deflate' })).toEqual(MISDIRECTED);
  });

  it('matters not where a credential is asked for: a page has none for its own name', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'web.yml');
    writeFileSync(file, `basic_auth_users:\n  alice: ${ALICE}\n`);
    const change = { 'web.config.file': file };
    expect(await statusOf('events.example', change, BASIC)).toEqual(DONE);
    expect(await statusOf('events.example', change)).toEqual([401, 401, 401, 401, 401]);
  });
});
