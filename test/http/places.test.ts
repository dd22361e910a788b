import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const POST = request('POST', '/event?type=a');

/** Clients at an address that have each had a post answered, and idle since. */
async function posters({ port }: RunningServer, count: number, localAddress: string): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let n = 0; n < count; n += 1) {
    const client = await RawClient.connect(port, { localAddress });
    client.send(POST);
    expect((await client.response()).status).toBe(200);
    clients.push(client);
  }
  return clients;
}

const isOpen = ({ socket }: RawClient) => !socket.readableEnded && !socket.destroyed;
const open = (clients: readonly RawClient[]) => clients.filter(isOpen).length;

async function scrape({ port }: RunningServer, localAddress: string, id: string) {
  const client = await RawClient.connect(port, { localAddress });
  client.get(`/metrics?scraper=${id}`);
  return { client, response: await client.response() };
}

const metric = (body: string, name: string) =>
  Number(
    body
      .split('\n')
      .find((line) => line.startsWith(`events_to_metrics_${name} `))
      ?.split(' ')[1],
  );

describe('places for connections', () => {
  it('one client gets its share: its own idle connections give way, and scrapers come through', async () => {
    await using server = await startServer({ 'server.connectionsMax': 40 });
    const flood = await posters(server, 30, '127.0.0.1');
    await expect.poll(() => open(flood)).toBe(10);
    expect(flood.slice(20).every(isOpen)).toBe(true);
    const { response } = await scrape(server, '127.0.0.2', 'a');
    expect(response.status).toBe(200);
    expect(metric(response.body, 'connections')).toBe(11);
    expect(metric(response.body, 'connections_limit')).toBe(40);
    expect(metric(response.body, 'connections_closed_total{reason="client_max"}')).toBe(20);
    const lines = server.log.filter((line) => line.includes('"reason":"client_max"'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"client":"127.0.0.1"');
    expect(lines[0]).toContain('server.connectionsPerClientMax');
  });

  it('where all are taken, who idles after a post gives way first, and who has an offer never (G3)', async () => {
    await using server = await startServer({
      'server.connectionsMax': 20,
      'server.connectionsPerClientMax': 20,
    });
    const scraper = await scrape(server, '127.0.0.9', 'a');
    const [first] = await posters(server, 1, '127.0.0.1');
    const offered = await scrape(server, '127.0.0.9', 'b');
    expect(offered.response.body).toContain('events_to_metrics{type="a"} 1');
    const flood = [first, ...(await posters(server, 60, '127.0.0.1'))] as RawClient[];
    await expect.poll(() => open(flood)).toBeLessThanOrEqual(18);
    expect(isOpen(flood.at(-1) as RawClient)).toBe(true);
    expect([isOpen(scraper.client), isOpen(offered.client)]).toEqual([true, true]);
    const late = await scrape(server, '127.0.0.8', 'c');
    expect(late.response.status).toBe(200);
    offered.client.get('/metrics?scraper=b');
    const proved = await offered.client.response();
    expect(metric(proved.body, 'deliveries_total{outcome="confirmed"}')).toBeGreaterThanOrEqual(1);
    expect(metric(proved.body, 'connections_closed_total{reason="connections_max"}')).toBeGreaterThan(40);
  });

  it('and where nobody idles, a newcomer is closed, unless it has scraped before: some places are kept for those', async () => {
    await using server = await startServer({
      'server.connectionsMax': 20,
      'server.connectionsPerClientMax': 20,
    });
    const known = await scrape(server, '127.0.0.9', 'a');
    known.client.end();
    await expect.poll(() => isOpen(known.client)).toBe(false);
    const busy: RawClient[] = [];
    for (let n = 0; n < 19; n += 1) {
      const client = await RawClient.connect(server.port, { localAddress: '127.0.0.1' });
      client.send(
        request('POST', '/event', {
          Expect: '100-continue',
          'Content-Type': 'application/json',
          'Content-Length': '10',
        }),
      );
      await client.bytes(20);
      busy.push(client);
    }
    const refused = await RawClient.connect(server.port, { localAddress: '127.0.0.1' });
    refused.send(POST);
    await expect(refused.response()).rejects.toThrow('the connection ended');
    expect((await scrape(server, '127.0.0.9', 'a')).response.status).toBe(200);
    expect(open(busy)).toBe(19);
  });
});

describe('an answer that nobody reads', () => {
  const BIG = Array.from(
    { length: 2_200 },
    (_, n) => `{"labels":{"n":"${n}","v":"${'x'.repeat(4_000)}"}}`,
  ).join('\n');

  /** A server with 9 MB of events, and a clock that only the test moves. */
  async function full() {
    const time = { elapsed: 1_000 };
    const server = await startServer(
      { 'scrape.bytesMax': 16 << 20, 'event.labelValueMax': 4096 },
      undefined,
      () => time.elapsed,
    );
    const response = await fetch(`${server.url}/event`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: BIG,
    });
    expect(response.status).toBe(200);
    return { server, time };
  }

  const stalled = ({ log }: RunningServer) =>
    log.filter((line) => line.includes('"reason":"stalled"')).length;

  const SLEEP_MS = 1_300;
  const sweeps = () => new Promise((resolve) => setTimeout(resolve, SLEEP_MS));

  /** Each look makes the next sweep a little later, since a busy machine may have missed one. */
  const later = (server: RunningServer, time: { elapsed: number }) => () => {
    time.elapsed += 1_000;
    return stalled(server);
  };

  it.each([
    ['a look', '/metrics?peek=true&scraper=p'],
    ['the feed', '/api/v1/events?limit=1000'],
    ['a scrape', '/metrics?scraper=s'],
  ])('is cut after 30 s without progress: %s', async (_what, path) => {
    const { server, time } = await full();
    await using _server = server;
    const client = await RawClient.connect(server.port);
    client.socket.pause();
    client.get(path);
    client.get(path);
    client.get(path);
    await sweeps();
    time.elapsed += 29_000;
    await sweeps();
    expect(stalled(server)).toBe(0);
    time.elapsed += 2_000;
    await expect.poll(later(server, time)).toBe(1);
    client.socket.destroy();
  });

  it('smaller ones to a client that pipelines, too', async () => {
    const { server, time } = await full();
    await using _server = server;
    const client = await RawClient.connect(server.port);
    client.socket.pause();
    client.send(request('GET', '/api/v1/events?limit=100').repeat(32));
    await sweeps();
    await sweeps();
    time.elapsed += 31_000;
    await expect.poll(later(server, time)).toBe(1);
    client.socket.destroy();
  });

  it('is not cut while it is read, however slowly', async () => {
    const { server, time } = await full();
    await using _server = server;
    const client = await RawClient.connect(server.port);
    client.socket.pause();
    client.get('/metrics?peek=true');
    for (let n = 1; n <= 3; n += 1) {
      await sweeps();
      time.elapsed += 20_000;
      client.socket.resume();
      await client.bytes(n * 2_000_000);
      client.socket.pause();
    }
    expect(stalled(server)).toBe(0);
    client.socket.resume();
    expect((await client.response()).status).toBe(200);
  });
});
