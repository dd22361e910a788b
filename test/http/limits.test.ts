import { describe, expect, it } from 'vitest';
import { escape } from '../../src/core/series.ts';
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
    await using server = await startServer({ 'labels.drop': ['a'] });
    const start = '/event?b=1&a=';
    const query = 'x'.repeat(64 * KIB - start.length);
    expect(await post(server, `b=1&a=${query}`)).toBe(200);
    expect(await post(server, `b=1&a=${query}x`)).toBe(414);
    expect(await eventsIn(server)).toBe(1);
  });

  it('a body of 1 MiB is taken, one byte more is a 413', async () => {
    await using server = await startServer({
      'labels.keep': ['b'],
      'event.labelValueMax': 64 * KIB,
      'event.labelsMax': 64,
    });
    const form = `b=1&${formOf(KIB * KIB - 4)}`;
    expect(form).toHaveLength(KIB * KIB);
    expect(await post(server, '', form)).toBe(200);
    expect(await post(server, '', `${form}x`)).toBe(413);
    expect(await eventsIn(server)).toBe(1);
  });

  it('a series of 8 KiB is taken, one byte more is a 400: bytes count, as they are written in a scrape', async () => {
    await using server = await startServer({ 'event.labelValueMax': 4 * KIB });
    const formOfSeries = (bytes: number, character: string): string => {
      const half = character.repeat((2 * KIB) / Buffer.byteLength(escape(character)));
      const rest = bytes - 'events_to_metrics{a="",b="",c="",d=""}'.length - 6 * KIB;
      const labels = { a: half, b: half, c: 'x'.repeat(2 * KIB), d: 'x'.repeat(rest) };
      return new URLSearchParams(labels).toString();
    };
    for (const character of ['x', 'ü', '\\', '"']) {
      expect(await post(server, '', formOfSeries(8 * KIB, character))).toBe(200);
      expect(await post(server, '', formOfSeries(8 * KIB + 1, character))).toBe(400);
    }
    expect(await eventsIn(server)).toBe(4);
  });

  it('a series that is too long is a 400 by whatever way it comes from somebody who can mend it', async () => {
    await using server = await startServer({ 'event.labelsMax': 64, 'event.labelValueMax': 4 * KIB });
    const values = Array.from({ length: 60 }, (_, n) => [`l${n}`, '"'.repeat(100)] as const);
    const labels = Object.fromEntries(values);
    const form = new URLSearchParams(labels).toString();
    const json = JSON.stringify({ labels });
    const alert = JSON.stringify({ labels, startsAt: '2026-11-24T12:00:00Z', status: 'firing' });
    const cloud = { specversion: '1.0', id: '1', type: '"'.repeat(4096), source: '/s' };
    const ways: [path: string, type: string | undefined, body: string][] = [
      [`/event?${form}`, undefined, ''],
      ['/event', 'application/x-www-form-urlencoded', form],
      ['/event', 'application/json', json],
      ['/event', 'application/json', `[${json}]`],
      ['/event', 'application/x-ndjson', `${json}\n`],
      ['/event', 'application/cloudevents+json', JSON.stringify(cloud)],
    ];
    for (const [path, type, body] of ways) {
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers,
        ...(body !== '' && { body }),
      });
      const { error, field } = (await response.json()) as { error: string; field: string };
      expect([path, response.status, field.replace(/^\[0\]\./, '')]).toEqual([path, 400, 'labels']);
      expect(error).toMatch(/event\.seriesMax$/);
    }
    expect(await eventsIn(server)).toBe(0);
    // Who can't gets the last labels cut.
    for (const [path, body] of [
      ['/api/v2/alerts', `[${alert}]`],
      ['/webhook/alertmanager', `{"alerts":[${alert}]}`],
    ] as const) {
      const headers = { 'Content-Type': 'application/json' };
      expect((await fetch(server.url + path, { method: 'POST', headers, body })).status).toBe(200);
    }
    // It is the same alert.
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

  it('so many connections are kept: for one more the one that is idle longest is closed', async () => {
    await using server = await startServer({
      'server.connectionsMax': 2,
      'server.connectionsPerClientMax': 2,
    });
    const clients: RawClient[] = [];
    for (let n = 0; n < 3; n += 1) {
      const client = await RawClient.connect(server.port);
      client.get('/healthz');
      expect((await client.response()).status).toBe(200);
      clients.push(client);
    }
    const [one, ...others] = clients as [RawClient, ...RawClient[]];
    await expect(one.response()).rejects.toThrow('the connection ended');
    for (const client of others) {
      client.get('/healthz');
      expect((await client.response()).status).toBe(200);
    }
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
