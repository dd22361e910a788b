import { METHODS } from 'node:http';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';
import { RawClient, request } from '../support/rawHttp.ts';

/** What each scrape carries beside events may take so many bytes, whatever strangers send: 1 MiB of counters, and some for scrapers. */
const FIXED_BYTES_MAX = 1.5 * 1024 * 1024;

const hostile = (n: number, fill: string) => `${n}${fill.repeat(4_000)}`.slice(0, 4_000);

it('what a stranger sends does not grow what every scrape carries beyond a bound, nor a label beyond 128 bytes', async () => {
  await using server = await startServer({
    'counters.labels': ['type', 'env', 'team'],
    'scrape.eventsMax': 1,
    'event.seriesMax': 16_383,
    'event.labelValueMax': 4_096,
  });
  for (let n = 0; n < 105; n += 1)
    await (
      await fetch(`${server.url}/metrics?scraper=${encodeURIComponent(`${n}${'😀'.repeat(120)}`)}`)
    ).text();
  const events = Array.from({ length: 1_100 }, (_, n) => ({
    name: `m${n}${'x'.repeat(240)}`,
    labels: {
      type: hostile(n, '"'),
      env: `${n % 7}${'ü'.repeat(1_000)}`,
      team: hostile(n, '\n').slice(0, 2_000),
    },
    value: 1,
  }));
  for (let from = 0; from < events.length; from += 50) {
    const response = await fetch(`${server.url}/event`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events.slice(from, from + 50)),
    });
    expect(response.status).toBe(200);
  }
  const client = await RawClient.connect(server.port);
  for (const method of METHODS.filter((each) => each !== 'CONNECT' && each !== 'HEAD')) {
    client.send(request(method, `/${method}`));
    await client.response();
  }
  client.end();
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const body = await (await fetch(`${server.url}/metrics?peek=true`, { headers: { accept } })).text();
    const own = body.split('\n').filter((line) => line.startsWith('events_to_metrics_'));
    const values = own.flatMap((line) => [...line.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map(([, v = '']) => v));
    const longest = values.map((value) => Buffer.byteLength(value.replaceAll(/\\(.)/g, '$1')));
    expect(longest.length).toBeGreaterThan(1_000);
    expect(Math.max(...longest)).toBeLessThanOrEqual(128);
    expect(Buffer.byteLength(own.join('\n'))).toBeLessThan(FIXED_BYTES_MAX);
    expect(own.some((line) => line.includes('metric="other"'))).toBe(true);
  }
  expect((await fetch(`${server.url}/api/v1/counters`, { method: 'DELETE' })).status).toBe(204);
  const after = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  expect(after).not.toMatch(/^events_to_metrics_events_total\{/m);
});
