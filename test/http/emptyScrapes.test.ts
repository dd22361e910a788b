import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const post = async ({ url }: RunningServer): Promise<void> => {
  expect((await fetch(`${url}/event?type=deploy`, { method: 'POST' })).status).toBe(200);
};

const answerTo = async (client: RawClient, path = '/metrics', headers: Record<string, string> = {}) => {
  client.get(path, headers);
  const answer = await client.response();
  expect(answer.status).toBe(200);
  return answer;
};

const bodyOf = async (client: RawClient, path?: string): Promise<string> =>
  (await answerTo(client, path)).body;

const valueOf = (body: string, series: string): number | undefined => {
  const line = body.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
};

const EVENT = 'events_to_metrics{type="deploy"}';

describe('a scrape of nothing', () => {
  it('makes its scraper known, and is seen each time', async () => {
    let now = Date.now();
    await using server = await startServer({}, () => millis(now));
    const client = await RawClient.connect(server.port);
    await bodyOf(client, '/metrics?scraper=a');
    now += 5_000;
    const lastSeen = 'events_to_metrics_scraper_last_seen_seconds{scraper="a"}';
    expect(valueOf(await bodyOf(client, '/metrics?peek=true'), lastSeen)).toBe(5);
    expect(valueOf(await bodyOf(client, '/metrics?scraper=a'), lastSeen)).toBe(0);
  });

  it('is counted as every request', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    for (let i = 0; i < 3; i += 1) await bodyOf(client);
    const series = 'events_to_metrics_http_requests_total{code="200",method="GET",route="/metrics"}';
    expect(valueOf(await bodyOf(client, '/metrics?peek=true'), series)).toBe(3);
  });

  it('is proof of what went before it on its connection, and then there is an event again (G2)', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const outcome = 'events_to_metrics_deliveries_total{outcome="confirmed"}';
    for (let round = 0; round < 3; round += 1) {
      const empty = await bodyOf(client);
      expect(valueOf(empty, EVENT)).toBeUndefined();
      expect(valueOf(empty, outcome)).toBe(round);
      await post(server);
      const full = await bodyOf(client);
      expect(valueOf(full, EVENT)).toBe(1);
      expect(valueOf(full, 'events_to_metrics_event_count')).toBe(round + 1);
    }
  });

  it('is evidence on another connection, too (G2)', async () => {
    await using server = await startServer({ 'scrape.timestamps': 'explicit' });
    const one = await RawClient.connect(server.port);
    const other = await RawClient.connect(server.port);
    await bodyOf(one);
    await post(server);
    await bodyOf(one);
    // Timed, and without proof: it is offered again.
    expect(await bodyOf(other)).toContain('events_to_metrics{type="deploy"} 1 ');
    expect(valueOf(await bodyOf(other), 'events_to_metrics_deliveries_total{outcome="repeated"}')).toBe(1);
  });

  it('shows what was counted by then, as often as it is asked for', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    for (let count = 1; count <= 20; count += 1) {
      await post(server);
      await bodyOf(client);
      const empty = await bodyOf(client);
      expect(valueOf(empty, 'events_to_metrics_event_count')).toBe(count);
      expect(valueOf(empty, 'events_to_metrics_scraper_counts{scraper="127.0.0.1"}')).toBe(0);
    }
  });

  it.each([
    ['text/plain;version=0.0.4', 'identity'],
    ['text/plain;version=0.0.4', 'gzip'],
    ['application/openmetrics-text;version=1.0.0', 'gzip'],
  ])('has the headers of its format, whoever asked before: %s, %s', async (accept, coding) => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    for (let i = 0; i < 2; i += 1) {
      await answerTo(client);
      const headers = { Accept: accept, 'Accept-Encoding': coding };
      const { head, raw } = await answerTo(client, '/metrics', headers);
      expect(head.toLowerCase()).toContain(`\r\ncontent-type: ${accept.replace(';', '; ')}; charset=utf-8`);
      expect(head).toMatch(/\r\nVary: Accept, Accept-Encoding\r\n/i);
      expect(head).toMatch(/\r\nCache-Control: no-store\r\n/i);
      expect(/content-encoding: gzip/i.test(head)).toBe(coding === 'gzip');
      const body = (coding === 'gzip' ? gunzipSync(raw) : raw).toString();
      expect(valueOf(body, 'events_to_metrics_scraper_counts{scraper="127.0.0.1"}')).toBe(0);
      expect(body.endsWith('\n# EOF\n')).toBe(accept.includes('openmetrics'));
    }
  });

  it('has the headers of the web configuration', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'web.yml');
    writeFileSync(file, 'http_server_config:\n  headers:\n    X-Frame-Options: deny\n');
    await using server = await startServer({ 'web.config.file': file });
    const client = await RawClient.connect(server.port);
    for (let i = 0; i < 2; i += 1)
      expect((await answerTo(client)).head).toMatch(/\r\nX-Frame-Options: deny\r\n/i);
  });

  it('has no body where only its head is asked for', async () => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(1_000);
    expect(await answer.text()).toBe('');
  });
});
