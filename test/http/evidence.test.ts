import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CLOSES_AFTER_ENDS } from '../../src/core/position.ts';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** The scrape timeout that these clients announce: long, so that no end of a connection is close to it unless a test waits. */
const TIMEOUT_S = '30';

const post = async (server: RunningServer, count: number, value = '') => {
  const client = await RawClient.connect(server.port);
  for (let i = 0; i < count; i += 1) {
    client.send(request('POST', `/event?n=${i}&v=${value}`, { 'Content-Length': '0' }));
    if (i % 30 === 29 || i === count - 1) {
      for (let k = i - (i % 30); k <= i; k += 1) expect((await client.response()).status).toBe(200);
    }
  }
  client.end();
};

const numbersIn = (body: string) =>
  [...body.matchAll(/^events_to_metrics\{n="(\d+)"/gm)].map((match) => Number(match[1]));

const scrape = async (client: RawClient, headers: Record<string, string> = {}) => {
  client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': TIMEOUT_S, ...headers });
  return numbersIn((await client.response()).body);
};

/** What the server counts, by outcome; looking consumes nothing. */
const outcomes = async (server: RunningServer) => {
  const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  const found = [...body.matchAll(/deliveries_total\{outcome="(\w+)"\} (\d+)/g)];
  return Object.fromEntries(
    found.map(([, outcome, count]) => [outcome, Number(count)]).filter(([, count]) => count !== 0),
  );
};

/** Evidence travels through the kernel: a moment passes until the server sees it. */
const seen = async (server: RunningServer, expected: Record<string, number>) => {
  await expect.poll(() => outcomes(server), { timeout: 5_000, interval: 5 }).toEqual(expected);
};

describe('what is seen of a response settles it (G2, G3)', () => {
  it('the next request on the same socket is proof, whatever it asks for', async () => {
    await using server = await startServer();
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    expect(await scrape(client)).toHaveLength(3);
    expect(await outcomes(server)).toEqual({});
    client.get('/healthz');
    await client.response();
    await seen(server, { confirmed: 3 });
    expect(await scrape(client)).toHaveLength(0);
  });

  it('a connection that ends well, and not at the scrape timeout, counts as delivered, unproven', async () => {
    await using server = await startServer();
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    await scrape(client);
    client.end();
    await seen(server, { unproven: 3 });
  });

  it('so does one that the client asked to be closed', async () => {
    await using server = await startServer();
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    await scrape(client, { Connection: 'close' });
    await seen(server, { unproven: 3 });
  });

  it('a connection that ends at the announced scrape timeout is doubtful: its events come again', async () => {
    await using server = await startServer();
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    await scrape(client, { 'X-Prometheus-Scrape-Timeout-Seconds': '0.4' });
    await sleep(400);
    client.end();
    await seen(server, { doubtful: 3 });
    expect(await scrape(await RawClient.connect(server.port))).toHaveLength(3);
  });

  it('a reset after the response went out is taken to mean that it was not read, and is doubtful', async () => {
    await using server = await startServer();
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': TIMEOUT_S });
    await client.bytes(100);
    client.reset();
    await seen(server, { doubtful: 3 });
    expect(await scrape(await RawClient.connect(server.port))).toHaveLength(3);
  });

  it('while nothing is known of a response, its events stay out, and the scraper gets newer ones on another socket', async () => {
    await using server = await startServer();
    await post(server, 3);
    const first = await RawClient.connect(server.port);
    expect(await scrape(first)).toEqual([0, 1, 2]);
    await post(server, 1, 'newer');
    const second = await RawClient.connect(server.port);
    expect(await scrape(second)).toEqual([0]);
    expect(await scrape(second)).toEqual([]);
    first.end();
    await seen(server, { confirmed: 1, unproven: 3 });
  });

  it('a lease that ends without evidence counts as delivered, unproven', async () => {
    await using server = await startServer({ 'scrape.lease': 100 });
    await post(server, 3);
    await scrape(await RawClient.connect(server.port));
    await seen(server, { unproven: 3 });
  });

  it('timed events are offered again until there is proof, always the same samples', async () => {
    await using server = await startServer({ 'scrape.timestamps': 'explicit' });
    await post(server, 3);
    const bodies: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const client = await RawClient.connect(server.port);
      client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': TIMEOUT_S });
      const { body } = await client.response();
      bodies.push(
        body
          .split('\n')
          .filter((line) => line.startsWith('events_to_metrics{'))
          .join('\n'),
      );
    }
    expect(bodies[0]?.split('\n')).toHaveLength(3);
    expect(new Set(bodies).size).toBe(1);
    const client = await RawClient.connect(server.port);
    await scrape(client);
    expect(await scrape(client)).toEqual([]);
  });

  it('timed clients that announce to close after each scrape are served twice, not for ever', async () => {
    await using server = await startServer({ 'scrape.timestamps': 'explicit' });
    await post(server, 3);
    const sizes: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const client = await RawClient.connect(server.port);
      sizes.push((await scrape(client, { Connection: 'close' })).length);
      await sleep(50);
    }
    expect(sizes).toEqual([3, 3, 0]);
  });

  it('timed clients that end each connection unannounced are served again until that is known of them, not for ever', async () => {
    await using server = await startServer({ 'scrape.timestamps': 'explicit' });
    await post(server, 3);
    const sizes: number[] = [];
    for (let i = 0; i <= CLOSES_AFTER_ENDS; i += 1) {
      const client = await RawClient.connect(server.port);
      sizes.push((await scrape(client)).length);
      client.end();
      await once(client.socket, 'close');
    }
    expect(sizes).toEqual([...Array.from({ length: CLOSES_AFTER_ENDS }, () => 3), 0]);
    await seen(server, { unproven: 3, repeated: 3 * (CLOSES_AFTER_ENDS - 1) });
  });

  it('a request that is pipelined before the response is out proves nothing', async () => {
    await using server = await startServer({ 'event.labelValueMax': 4_096 });
    await post(server, 2_000, 'x'.repeat(4_000));
    const client = await RawClient.connect(server.port);
    client.socket.pause();
    client.send(request('GET', '/metrics') + request('GET', '/healthz'));
    await sleep(200);
    client.reset();
    await expect
      .poll(async () => (await outcomes(server))['returned'], { timeout: 10_000 })
      .toBeGreaterThan(0);
    expect((await outcomes(server))['confirmed']).toBeUndefined();
  });
});

it('G3: 100,000 pending events and a client that resets after 64 kB: all of them are in the next scrapes, each once', async () => {
  await using server = await startServer();
  await post(server, 100_000);
  const broken = await RawClient.connect(server.port);
  broken.get('/metrics');
  await broken.bytes(64 * 1024);
  broken.reset();
  // Doubtful where the kernel took the whole response, although the client read only a part of it.
  const back = async () => Object.entries(await outcomes(server));
  await expect
    .poll(back, { timeout: 10_000 })
    .toEqual([[expect.stringMatching(/^(?:returned|doubtful)$/), expect.any(Number)]]);
  const client = await RawClient.connect(server.port);
  const got = new Set<number>();
  for (let round = 0; round < 30; round += 1) {
    const numbers = await scrape(client);
    for (const n of numbers) {
      expect(got.has(n)).toBe(false);
      got.add(n);
    }
    if (numbers.length === 0) break;
  }
  expect(got.size).toBe(100_000);
}, 120_000);

describe('a graceful stop (G4)', () => {
  it('answers what is running, and takes the ends of idle connections for evidence', async () => {
    const server = await startServer({ 'log.level': 'DEBUG' });
    await post(server, 3);
    const client = await RawClient.connect(server.port);
    expect(await scrape(client)).toHaveLength(3);
    client.socket.on('end', () => client.end());
    const started = Date.now();
    await server[Symbol.asyncDispose]();
    expect(Date.now() - started).toBeLessThan(1_500);
  });

  it('waits no longer than it may for a client that does not answer', async () => {
    const server = await startServer({ 'server.stopTimeout': 300 });
    const client = await RawClient.connect(server.port);
    client.socket.pause();
    client.socket.allowHalfOpen = true;
    const started = Date.now();
    await server[Symbol.asyncDispose]();
    expect(Date.now() - started).toBeLessThan(1_500);
  });

  it('is not held up by a connection that comes while it lasts, and says nothing', async () => {
    const server = await startServer();
    const busy = await RawClient.connect(server.port, { allowHalfOpen: true });
    const started = Date.now();
    const stopped = server[Symbol.asyncDispose]();
    const late = await RawClient.connect(server.port);
    await sleep(50);
    busy.end();
    await stopped;
    expect(late.socket.destroyed).toBe(true);
    expect(Date.now() - started).toBeGreaterThan(400);
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

describe('a scraper that changes from timed to untimed', () => {
  const TIMED = '/metrics?timestamps=explicit';

  it('G2: gets what it may have had again at another time, counted as doubtful', async () => {
    await using server = await startServer();
    await post(server, 3);
    const timed = await RawClient.connect(server.port);
    timed.get(TIMED, { 'X-Prometheus-Scrape-Timeout-Seconds': TIMEOUT_S });
    expect((await timed.response()).body).toContain('{n="2"');
    timed.end();
    await seen(server, { repeated: 3 });
    const untimed = await RawClient.connect(server.port);
    expect(await scrape(untimed)).toHaveLength(3);
    await seen(server, { repeated: 3, doubtful: 3 });
    expect(await scrape(untimed)).toHaveLength(0);
    await seen(server, { repeated: 3, doubtful: 3, confirmed: 3 });
  });

  it('G2, G4: so does one whose server starts anew with another scrape.timestamps', async () => {
    using folder = temporaryFolder();
    const store = { 'store.kind': 'sqlite', 'store.path': folder.path } as const;
    {
      await using server = await startServer({ ...store, 'scrape.timestamps': 'explicit' });
      await post(server, 3);
      const client = await RawClient.connect(server.port);
      await scrape(client);
      client.end();
      await seen(server, { repeated: 3 });
    }
    await using server = await startServer(store);
    const client = await RawClient.connect(server.port);
    expect(await scrape(client)).toHaveLength(3);
    await seen(server, { doubtful: 3 });
  });
});
