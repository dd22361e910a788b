import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';
import { parseExposition } from '../support/strictParser.ts';

const post = async (server: RunningServer, query: string) =>
  (await fetch(`${server.url}/event?${query}`, { method: 'POST' })).status;
const scrape = (server: RunningServer, accept: string, query = '') =>
  fetch(`${server.url}/metrics${query}`, { headers: { accept, 'accept-encoding': 'identity' } });

const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** Every Accept line that was measured of a real client, and what it must be answered with. */
const CLIENTS: readonly (readonly [client: string, accept: string, contentType: string])[] = [
  [
    'Prometheus 2.42',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    OPENMETRICS,
  ],
  [
    'Prometheus 2.42 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    PROTOBUF,
  ],
  [
    'Prometheus 2.53',
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    OPENMETRICS,
  ],
  [
    'Prometheus 3.5',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    `${OPENMETRICS}; escaping=allow-utf-8`,
  ],
  [
    'Prometheus 3.5 that prefers protobuf',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3',
    PROTOBUF,
  ],
  ['VictoriaMetrics', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
  ['curl', '*/*', TEXT],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
];

describe('a scrape is answered in the format that its client prefers', () => {
  it.each(CLIENTS)('%s', async (_client, accept, contentType) => {
    await using server = await startServer();
    await post(server, 'a=1');
    const answer = await scrape(server, accept);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(contentType);
    expect(answer.headers.get('vary')).toBe('Accept, Accept-Encoding');
    const body = Buffer.from(await answer.arrayBuffer());
    expect(Number(answer.headers.get('content-length'))).toBe(body.length);
    expect(body.includes('events_to_metrics')).toBe(true);
    const ends = body.toString().endsWith('\n# EOF\n');
    expect(ends).toBe(contentType.startsWith('application/openmetrics'));
  });
});

describe('gzip', () => {
  it.each([
    ['gzip', 'gzip'],
    ['deflate, gzip;q=0.5', 'gzip'],
    ['*', 'gzip'],
    ['gzip;q=0', null],
    ['identity', null],
    ['zstd, br', null],
  ])('for Accept-Encoding %s: %s', async (accepted, encoding) => {
    await using server = await startServer();
    await post(server, 'a=1');
    const client = await RawClient.connect(server.port);
    client.get('/metrics', { 'Accept-Encoding': accepted });
    const { head, raw } = await client.response();
    const told = /content-encoding: (\S+)/i.exec(head)?.[1] ?? null;
    expect(told).toBe(encoding);
    const body = encoding === 'gzip' ? gunzipSync(raw) : raw;
    expect(parseExposition(body).find(({ name }) => name === 'events_to_metrics')?.samples).toHaveLength(1);
  });

  it('a body too small to be worth it goes as it is', async () => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/healthz`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBeNull();
  });
});

describe('a large body, which is handed to the socket in its parts', () => {
  /** More than what is joined before it is sent. */
  const EVENTS = 4_000;
  const BATCH = Array.from({ length: EVENTS }, (_, n) => `{"labels":{"n":"${n}"}}`).join('\n');
  const fill = async (server: RunningServer) => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const { status } = await fetch(`${server.url}/event`, { method: 'POST', body: BATCH, headers });
    expect(status).toBe(200);
  };
  const eventsOf = (body: Buffer) =>
    parseExposition(body).find(({ name }) => name === 'events_to_metrics')?.samples.length;

  it.each(['identity', 'gzip'])('is whole, whatever follows it on the connection (%s)', async (encoding) => {
    await using server = await startServer();
    await fill(server);
    const client = await RawClient.connect(server.port);
    const headers = { 'Accept-Encoding': encoding };
    // What follows proves that what came before was read; the last has nothing left.
    for (const [path, events] of [
      ['/metrics?scraper=a', EVENTS],
      ['/metrics?scraper=b', EVENTS],
      ['/metrics?scraper=b', undefined],
    ] as const) {
      client.get(path, headers);
      const { head, raw } = await client.response();
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]).toBe(String(raw.length));
      expect(eventsOf(encoding === 'gzip' ? gunzipSync(raw) : raw)).toBe(events);
    }
    expect(await countOf(server, 'deliveries_total{outcome="confirmed"}')).toBe(2 * EVENTS);
    expect(
      await countOf(server, 'http_requests_total{code="200",method="GET",route="/metrics"}'),
    ).toBeGreaterThan(2);
  });

  it('has the same head when only that is asked for', async () => {
    await using server = await startServer();
    await fill(server);
    const answer = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(EVENTS);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});

async function countOf(server: RunningServer, series: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`events_to_metrics_${series} `));
  return Number(line?.split(' ').at(-1));
}

describe('names in UTF-8', () => {
  it('are refused unless event.names takes them, and the refusal names that setting', async () => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/event?build.id=7`, { method: 'POST' });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toContain('event.names=utf8');
  });

  it.each([
    ['text/plain;version=1.0.0;escaping=allow-utf-8', 'events_to_metrics{"build.id"="7"} 1'],
    [
      'text/plain;version=0.0.4',
      'events_to_metrics{build_id="7",escaped_from="events_to_metrics{\\"build.id\\"}"} 1',
    ],
    ['text/plain;version=1.0.0;escaping=dots', 'events__to__metrics{build_dot_id="7"} 1'],
    ['text/plain;version=1.0.0;escaping=values', 'events_to_metrics{U__build_2e_id="7"} 1'],
  ])('for %s: %s', async (accept, line) => {
    await using server = await startServer({ 'event.names': 'utf8' });
    expect(await post(server, 'build.id=7')).toBe(200);
    expect((await (await scrape(server, accept)).text()).split('\n')).toContain(line);
  });
});

describe("a scraper's own choice of timestamps", () => {
  it('wins over the setting', async () => {
    await using server = await startServer({ 'scrape.timestamps': 'explicit' });
    await post(server, 'a=1&__timestamp__=2001-01-01T00:00:00Z');
    const lines = async (query: string) =>
      (await (await scrape(server, '*/*', query)).text())
        .split('\n')
        .filter((line) => line.startsWith('events_to_metrics{'));
    expect(await lines('?scraper=x&timestamps=scrape')).toEqual(['events_to_metrics{a="1"} 1']);
    const [timed] = await lines('?scraper=y&timestamps=explicit');
    expect(timed).toMatch(/^events_to_metrics\{a="1"\} 1 \d{13}$/);
  });

  const TEXT_OF_PROMETHEUS =
    'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4';
  const PROTOBUF_FIRST = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,${TEXT_OF_PROMETHEUS}`;

  it.each([
    ['auto', 'scrape', PROTOBUF_FIRST, true],
    ['auto', 'scrape', TEXT_OF_PROMETHEUS, false],
    ['auto', 'scrape', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', false],
    ['auto', 'explicit', TEXT_OF_PROMETHEUS, true],
    ['auto', 'auto', TEXT_OF_PROMETHEUS, false],
    [undefined, 'auto', PROTOBUF_FIRST, true],
    [undefined, 'auto', TEXT_OF_PROMETHEUS, false],
    ['scrape', 'auto', PROTOBUF_FIRST, false],
    ['explicit', 'auto', TEXT_OF_PROMETHEUS, true],
  ] as const)('is %s, with the setting %s, for %s: timed %s', async (asked, setting, accept, isTimed) => {
    await using server = await startServer({ 'scrape.timestamps': setting });
    // Three equal events: with times each is a sample, without Prometheus would store one of them.
    for (let n = 0; n < 3; n++) await post(server, 'type=deploy');
    const query = asked === undefined ? '?scraper=x' : `?scraper=x&timestamps=${asked}`;
    const body = Buffer.from(await (await scrape(server, accept, query)).arrayBuffer());
    // Each format says the labels anew for each sample; the counter has them, too.
    expect(body.toString('latin1').match(/deploy/g)).toHaveLength(isTimed ? 4 : 2);
    const { scrapers } = (await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as {
      scrapers: { mode: string }[];
    };
    expect(scrapers.map(({ mode }) => mode)).toEqual([isTimed ? 'timed' : 'untimed']);
  });

  it('that is none of them is refused, and the answer says which there are', async () => {
    await using server = await startServer();
    const answer = await scrape(server, '*/*', '?timestamps=maybe');
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'timestamps "maybe" must be explicit, scrape or auto', field: 'timestamps' },
    ]);
  });
});
