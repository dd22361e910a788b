import { expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

/** What a client gets in so many scrapes on one connection: the values of events. */
async function scrapes({ port, url }: RunningServer, query: string, userAgent: string, count: number) {
  const client = await RawClient.connect(port);
  const scrape = async () => {
    client.get(`/metrics?scraper=s&${query}`, { 'User-Agent': userAgent });
    const { body } = await client.response();
    return [...body.matchAll(/^events_to_metrics{.*} (\d+) \d+$/gm)].map(([, value]) => Number(value));
  };
  await scrape();
  for (const event of ['n=a&value=1', 'n=a&value=2', 'n=b&value=3', 'n=a&value=4'])
    expect((await fetch(`${url}/event?${event}`, { method: 'POST' })).status).toBe(200);
  const found: number[][] = [];
  for (let i = 0; i < count; i += 1) found.push(await scrape());
  client.socket.destroy();
  return found;
}

it.each([
  ['timestamps=explicit', 'Prometheus/3.5.3', [[1, 2, 4, 3], [], []]],
  ['timestamps=explicit&series=all', 'otelcol-contrib/0.142.0', [[1, 2, 4, 3], [], []]],
  ['timestamps=explicit&series=once', 'Prometheus/3.5.3', [[1, 3], [2], [4]]],
  ['timestamps=explicit', 'otelcol-contrib/0.142.0', [[1, 3], [2], [4]]],
  ['timestamps=explicit', 'Prometheus/2.53.1', [[1, 3], [2], [4]]],
])('%s of %s', async (query, userAgent, expected) => {
  await using server = await startServer();
  expect(await scrapes(server, query, userAgent, 3)).toEqual(expected);
});

it('another word is a 400', async () => {
  await using server = await startServer();
  const answer = await fetch(`${server.url}/metrics?series=twice`);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('must be once or all');
});
