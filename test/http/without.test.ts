import { expect, it } from 'vitest';
import { readProtobuf } from '../support/protobufReader.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const post = async ({ url }: RunningServer, query: string) => {
  expect((await fetch(`${url}/event?${query}`, { method: 'POST' })).status).toBe(200);
};
const get = ({ url }: RunningServer, query: string, accept = 'text/plain') =>
  fetch(`${url}/metrics?${query}`, { headers: { accept } });
const events = (text: string) => text.split('\n').filter((line) => line.startsWith('events_to_metrics{'));
const MINE = 'events_to_metrics{instance="",pod="mine",type="b"} 1';
const NONE = 'events_to_metrics{instance="",pod="",type="a"} 1';

it.each(['text/plain', 'application/openmetrics-text;version=1.0.0'])(
  'keeps labels of the target off events, and off nothing else: %s',
  async (accept) => {
    await using server = await startServer();
    await post(server, 'type=a');
    await post(server, 'type=b&pod=mine');
    for (const asked of ['without=instance,pod', 'without=pod&without=instance', 'without=pod%2C+instance']) {
      const peeked = await (await get(server, `peek=true&scraper=s&${asked}`, accept)).text();
      expect(events(peeked)).toEqual([NONE, MINE]);
    }
    const text = await (await get(server, 'scraper=s&without=instance,pod', accept)).text();
    expect(events(text)).toEqual([NONE, MINE]);
    const others = text.split('\n').filter((line) => !line.startsWith('events_to_metrics{'));
    expect(others.some((line) => line.startsWith('events_to_metrics_events_total{'))).toBe(true);
    expect(others.filter((line) => /(instance|pod)=""/.test(line))).toEqual([]);
  },
);

it('keeps them off each event and off the end of its pulse, in protobuf', async () => {
  await using server = await startServer({ 'pulse.width': 1_000 });
  const query = 'scraper=s&timestamps=explicit&without=instance,pod';
  await (await get(server, query, PROTOBUF)).arrayBuffer();
  await post(server, `type=a&__timestamp__=${Date.now() - 5_000}`);
  const seen = new Map<number, readonly string[]>();
  await expect
    .poll(
      async () => {
        const body = Buffer.from(await (await get(server, `${query}&peek=true`, PROTOBUF)).arrayBuffer());
        for (const { name, metrics } of readProtobuf(body, ['instance', 'pod']))
          for (const { labels, time } of metrics)
            if (name === 'events_to_metrics')
              seen.set(time ?? 0, [...labels].map(([label, value]) => `${label}=${value}`).toSorted());
        return seen.size;
      },
      { timeout: 10_000 },
    )
    .toBe(2);
  for (const labels of seen.values()) expect(labels).toEqual(['instance=', 'pod=', 'type=a']);
});

it.each(['without=a-b', 'without=__name__', `without=${'a'.repeat(300)}`])('%s is a 400', async (query) => {
  await using server = await startServer();
  const answer = await get(server, query);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/^without /);
  expect(await (await fetch(`${server.url}/api/v1/scrapers`)).json()).toMatchObject({ scrapers: [] });
});

it('any other parameter may still be given only once', async () => {
  await using server = await startServer();
  expect((await get(server, 'scraper=a&scraper=b')).status).toBe(400);
});
