import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const KIB = 1024;

const post = async (server: RunningServer, query: string, body?: string) =>
  (
    await fetch(`${server.url}/event?${query}`, {
      method: 'POST',
      ...(body !== undefined && { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    })
  ).status;

const eventsIn = async (server: RunningServer, query = '') => {
  const body = await (await fetch(`${server.url}/metrics${query}`)).text();
  return body.split('\n').filter((line) => line.startsWith('events_to_metrics{')).length;
};

/** A form of exactly so many bytes, with values within their limit. */
function formOf(bytes: number): string {
  const values = Array.from({ length: 30 }, (_, i) => `l${i}=`);
  let text = values.join('&');
  for (let i = 0; i < 30 && text.length < bytes; i += 1) {
    const fill = Math.min(bytes - text.length, 40 * KIB);
    values[i] += 'x'.repeat(fill);
    text = values.join('&');
  }
  return text;
}

describe('each limit holds at the limit and past it (G7)', () => {
  it('a URL of 64 KiB is taken, one byte more is a 414', async () => {
    await using server = await startServer({ 'event.labelValueMax': 64 * KIB });
    const start = '/event?a=';
    const query = 'x'.repeat(64 * KIB - start.length);
    expect(await post(server, `a=${query}`)).toBe(200);
    expect(await post(server, `a=${query}x`)).toBe(414);
    expect(await eventsIn(server)).toBe(1);
  });

  it('a body of 1 MiB is taken, one byte more is a 413', async () => {
    await using server = await startServer({ 'event.labelValueMax': 64 * KIB, 'event.labelsMax': 64 });
    const form = formOf(KIB * KIB);
    expect(form).toHaveLength(KIB * KIB);
    expect(await post(server, '', form)).toBe(200);
    expect(await post(server, '', `${form}x`)).toBe(413);
    expect(await eventsIn(server)).toBe(1);
  });

  it('20 labels are taken, one more is a 400', async () => {
    await using server = await startServer();
    const labels = Array.from({ length: 20 }, (_, i) => `l${i}=1`).join('&');
    expect(await post(server, `${labels}&value=2&__name__=events_to_metrics`)).toBe(200);
    expect(await post(server, `${labels}&l20=1`)).toBe(400);
    expect(await eventsIn(server)).toBe(1);
  });

  it('a label name of 256 bytes is taken, one byte more is a 400', async () => {
    await using server = await startServer();
    expect(await post(server, `${'n'.repeat(256)}=1`)).toBe(200);
    expect(await post(server, `${'n'.repeat(257)}=1`)).toBe(400);
    expect(await eventsIn(server)).toBe(1);
  });

  it('a value of 1,023 bytes is taken, one byte more is a 400; bytes count, not characters', async () => {
    await using server = await startServer();
    expect(await post(server, `v=${'x'.repeat(1_023)}`)).toBe(200);
    expect(await post(server, `v=${'x'.repeat(1_024)}`)).toBe(400);
    expect(await post(server, `v=${encodeURIComponent('ü'.repeat(511))}x`)).toBe(200);
    expect(await post(server, `v=${encodeURIComponent('ü'.repeat(512))}`)).toBe(400);
    expect(await eventsIn(server)).toBe(2);
  });

  it('headers beyond their limit are a 431', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    client.send(request('GET', '/healthz', { 'X-Large': 'x'.repeat(200 * KIB) }));
    expect((await client.response()).status).toBe(431);
  });

  it('what is not HTTP is a 400, and the server goes on', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    client.send('hello\r\n\r\n');
    expect((await client.response()).status).toBe(400);
    expect(await eventsIn(server)).toBe(0);
  });

  it('so many connections are kept, one more is closed, and there is room again when one ends', async () => {
    await using server = await startServer({ 'server.connectionsMax': 2 });
    const [one, two] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    for (const client of [one, two]) {
      client.get('/healthz');
      expect((await client.response()).status).toBe(200);
    }
    const three = await RawClient.connect(server.port);
    three.get('/healthz');
    await expect(three.response()).rejects.toThrow('the connection ended');
    one.end();
    await expect
      .poll(async () => (await fetch(`${server.url}/healthz`)).status, { timeout: 5_000, interval: 20 })
      .toBe(200);
  });

  it('a scrape carries so many events, and the next ones the rest, in order', async () => {
    await using server = await startServer({ 'scrape.eventsMax': 3 });
    for (let i = 0; i < 7; i += 1) await post(server, `n=${i}`);
    expect([
      await eventsIn(server),
      await eventsIn(server),
      await eventsIn(server),
      await eventsIn(server),
    ]).toEqual([3, 3, 1, 0]);
  });

  it('a scrape carries so many bytes, and at least one event', async () => {
    await using server = await startServer({ 'scrape.bytesMax': 1024, 'event.labelValueMax': 2_000 });
    for (let i = 0; i < 3; i += 1) await post(server, `n=${i}&v=${'x'.repeat(2000)}`);
    expect([
      await eventsIn(server),
      await eventsIn(server),
      await eventsIn(server),
      await eventsIn(server),
    ]).toEqual([1, 1, 1, 0]);
  });
});

describe('what comes too slowly is cut', () => {
  const TIMES = { 'server.headTimeout': 300, 'server.requestTimeout': 900 };

  /** The status of the last answer before the end of the connection, and when that came. */
  async function cutAfter(server: RunningServer, send: (client: RawClient) => void) {
    const client = await RawClient.connect(server.port);
    const started = performance.now();
    send(client);
    const { status } = await client.response();
    await expect(client.response()).rejects.toThrow('the connection ended');
    return { status, ms: performance.now() - started };
  }

  it.each([
    ['a connection that says nothing', () => undefined],
    ['a head that stops', (client: RawClient) => client.send('POST /event?a=1 HTTP/1.1\r\nHost: x\r\n')],
    [
      'a head that drips',
      (client: RawClient) => {
        const timer = setInterval(() => client.send('X-A: b\r\n'), 50);
        client.socket.once('close', () => clearInterval(timer));
        client.send('POST /event?a=1 HTTP/1.1\r\nHost: x\r\n');
      },
    ],
  ])('%s is a 408 after server.headTimeout', async (_what, send) => {
    await using server = await startServer(TIMES);
    const { status, ms } = await cutAfter(server, send);
    expect(status).toBe(408);
    expect(ms).toBeGreaterThan(250);
    expect(ms).toBeLessThan(3_000);
    expect(await eventsIn(server)).toBe(0);
  });

  it('a body that drips is a 408 after server.requestTimeout, and nothing of it is stored', async () => {
    await using server = await startServer(TIMES);
    const { status, ms } = await cutAfter(server, (client) => {
      const timer = setInterval(() => client.send('x'), 50);
      client.socket.once('close', () => clearInterval(timer));
      client.send(
        request('POST', '/event', {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': '10000',
        }),
      );
      client.send('a=');
    });
    expect(status).toBe(408);
    expect(ms).toBeGreaterThan(800);
    expect(ms).toBeLessThan(4_000);
    expect(await eventsIn(server)).toBe(0);
  });

  it('an idle connection between two requests is not', async () => {
    await using server = await startServer(TIMES);
    const client = await RawClient.connect(server.port);
    client.get('/healthz');
    expect((await client.response()).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    client.get('/healthz');
    expect((await client.response()).status).toBe(200);
  });
});
