import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';
import { parseSamples } from '../support/strictParser.ts';
import { until } from '../support/until.ts';

const MIB = 2 ** 20;
const SMALL = { 'memory.max': 16 * MIB } as const;
const SOON = { timeout: 8_000, interval: 20 };

/** What a holder has taken, and what it may. */
async function memoryOf(
  { url }: RunningServer,
  holder: string,
  query = 'peek=true',
): Promise<{ held: number; max: number }> {
  const samples = parseSamples(await (await fetch(`${url}/metrics?${query}`)).text());
  const of = (name: string) =>
    samples.find(
      (sample) => sample.name === `events_to_metrics_${name}` && sample.labels.get('holder') === holder,
    )?.value ?? Number.NaN;
  return { held: of('memory_bytes'), max: of('memory_limit_bytes') };
}

const head = (type: string, ...more: string[]) =>
  ['POST /event HTTP/1.1', 'Host: test', `Content-Type: ${type}`, ...more, '', ''].join('\r\n');

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

const FORM = 'application/x-www-form-urlencoded';
const NDJSON = 'application/x-ndjson';
const LONG = 'Content-Length: 900000';
const ESCAPINGS = ['allow-utf-8', 'underscores', 'dots', 'values'];
const GZIP = 'Content-Encoding: gzip';

/** A part of a body that is 1 MB long when it is decompressed. */
const UNFINISHED = gzipSync(Buffer.concat([Buffer.from('a='), Buffer.alloc(MIB - 100, 'x')])).subarray(
  0,
  -20,
);
/** The same of NDJSON, in one line. */
const UNFINISHED_LINE = gzipSync(
  Buffer.concat([Buffer.from('{"labels":{"a":"'), Buffer.alloc(MIB - 100, 'x')]),
).subarray(0, -20);
/** Events that all wait for the end of their body. */
const EVENTS = gzipSync(
  Array.from({ length: 3_000 }, (_, n) => `{"labels":{"n":"${n}"}}\n`).join(''),
).subarray(0, -20);

it.each([
  ['forms in gzip', head(FORM, LONG, GZIP), UNFINISHED],
  ['lines in gzip', head(NDJSON, LONG, GZIP), UNFINISHED_LINE],
  ['events in gzip', head(NDJSON, LONG, GZIP), EVENTS],
  ['forms', head(FORM, LONG), Buffer.alloc(800_000, 'x')],
  ['lines', head(NDJSON, LONG), Buffer.alloc(800_000, 'x')],
])(
  'unfinished bodies take no more than their share: %s',
  async (_, first, part) => {
    await using server = await startServer(SMALL);
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(server.port)));
    for (const client of clients) client.send(Buffer.concat([Buffer.from(first), part]));
    // Those for whom there is no room are told so; the others wait for the rest of theirs.
    const statuses: number[] = [];
    for (const client of clients)
      void client.response().then(
        ({ status }) => statuses.push(status),
        () => undefined,
      );
    await until(() => statuses.length > 20, SOON);
    expect(new Set(statuses)).toEqual(new Set([503]));
    const { held, max } = await memoryOf(server, 'bodies');
    expect(held).toBeGreaterThan(max / 3);
    expect(held).toBeLessThanOrEqual(max);
    // Who stalls gives way to who doesn't.
    const body = `{"labels":{"a":"b"}}\n`.repeat(4_000);
    const post = () =>
      fetch(`${server.url}/event`, { method: 'POST', headers: { 'Content-Type': NDJSON }, body });
    await until(async () => (await post()).status === 200, SOON);
    for (const client of clients) client.socket.destroy();
    await until(async () => (await memoryOf(server, 'bodies')).held === 0, SOON);
  },
  20_000,
);

/** As long as a head may be, but for a little. */
const LONG_URL = `a=${'b'.repeat(60_000)}`;
const LONG_HEADER = `X-Long: ${'c'.repeat(30_000)}`;
const heads = (path: string) => head(FORM, LONG_HEADER, LONG).replace('/event', path);

it.each([
  ['before bodies that do not end', `${heads(`/event?${LONG_URL}`)}a`, 'answered'],
  ['before bodies that are refused', `${heads(`/nowhere?${LONG_URL}`)}a`, 'answered'],
  ['that do not end', heads(`/event?${LONG_URL}`).slice(0, -4), 'closed'],
  [
    'that do not end, behind a request',
    `${get('/-/healthy')}${heads(`/event?${LONG_URL}`).slice(0, -4)}`,
    'closed',
  ],
])(
  'large heads take no more than their share: %s',
  async (_, text, how) => {
    await using server = await startServer(SMALL);
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(server.port)));
    let closed = 0;
    for (const client of clients) {
      client.socket.once('close', () => (closed += 1));
      client.send(text);
    }
    const post = () => fetch(`${server.url}/event?a=b`, { method: 'POST' });
    if (how === 'closed') await until(() => closed > 40, SOON);
    else await until(async () => (await memoryOf(server, 'bodies')).held > 0, SOON);
    const { held, max } = await memoryOf(server, 'bodies');
    expect(held).toBeGreaterThan(max / 4);
    expect(held).toBeLessThanOrEqual(max);
    expect((await post()).status).toBe(200);
    for (const client of clients) client.socket.destroy();
    await until(async () => (await memoryOf(server, 'bodies')).held === 0, SOON);
  },
  20_000,
);

it('who keeps bodies open a byte at a time, and so fills their share, keeps out nobody else', async () => {
  await using server = await startServer(SMALL);
  const greedy = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(server.port)));
  for (const client of greedy) client.send(`${head(FORM, LONG)}a=${'x'.repeat(400_000)}`);
  const trickle = setInterval(() => {
    for (const { socket } of greedy) if (!socket.destroyed) socket.write('x');
  }, 100);
  try {
    await until(async () => {
      const { held, max } = await memoryOf(server, 'bodies');
      return held > max * 0.8;
    }, SOON);
    const body = `a=${'y'.repeat(900_000)}`;
    const posted = await new Promise<number | undefined>((resolve, reject) => {
      const other = request(
        `${server.url}/event`,
        { method: 'POST', localAddress: '127.0.0.2', headers: { 'Content-Type': FORM } },
        (response) => resolve(response.resume().statusCode),
      );
      other.once('error', reject).end(body);
    });
    // There was memory for it: its value is what is too long.
    expect(posted).toBe(400);
  } finally {
    clearInterval(trickle);
    for (const client of greedy) client.socket.destroy();
  }
  await until(async () => (await memoryOf(server, 'bodies')).held === 0, SOON);
}, 20_000);

it('who fills the share gets no room for one more by the end of one of its own, which would cost both', async () => {
  await using server = await startServer(SMALL);
  const first = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(server.port)));
  let ended = 0;
  for (const client of first) {
    client.socket.once('close', () => (ended += 1));
    client.send(`${head(FORM, LONG)}a=${'x'.repeat(300_000)}`);
  }
  await until(async () => {
    const { held, max } = await memoryOf(server, 'bodies');
    return held > max * 0.75;
  }, SOON);
  // Each takes memory for a decompressor before anything of its body is read.
  const more = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(server.port)));
  for (const client of more) client.send(Buffer.concat([Buffer.from(head(FORM, LONG, GZIP)), UNFINISHED]));
  const statuses: number[] = [];
  for (const client of more)
    void client.response().then(
      ({ status }) => statuses.push(status),
      () => undefined,
    );
  await until(() => statuses.length > 20, SOON);
  expect(new Set(statuses)).toEqual(new Set([503]));
  expect(ended).toBe(0);
  for (const client of [...first, ...more]) client.socket.destroy();
}, 20_000);

it('a body that alone needs more than there is for all is too large, and says so', async () => {
  await using server = await startServer(SMALL);
  const body = Array.from({ length: 50_000 }, (_, n) => `{"labels":{"n":"${n}"}}\n`).join('');
  const answer = await fetch(`${server.url}/event`, {
    method: 'POST',
    headers: { 'Content-Type': NDJSON },
    body,
  });
  expect([answer.status, await answer.json()]).toEqual([
    413,
    {
      field: 'body',
      error:
        'the request needs more memory than the 3019898 bytes that all requests together may use; send fewer events at a time, or raise memory.max',
    },
  ]);
});

it.each(['/metrics?peek=true', '/api/v1/events?limit=1000'])(
  'answers that nobody reads take no more than their share, and leave scrapes theirs: %s',
  async (path) => {
    await using server = await startServer({ ...SMALL, 'memory.max': 512 * MIB });
    for (let part = 0; part < 10; part += 1) {
      const body = Array.from(
        { length: 1_000 },
        (_, n) => `{"labels":{"n":"${part * 1_000 + n}","text":"${'x'.repeat(1_000)}"}}\n`,
      ).join('');
      const posted = await fetch(`${server.url}/event`, {
        method: 'POST',
        headers: { 'Content-Type': NDJSON },
        body,
      });
      expect(posted.status).toBe(200);
    }
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(server.port)));
    for (const client of clients) {
      client.socket.pause();
      client.send(get(path));
    }
    await until(async () => (await memoryOf(server, 'answers')).held > 0, SOON);
    const scrape = await fetch(`${server.url}/metrics?scraper=a`);
    expect(scrape.status).toBe(200);
    const samples = parseSamples(await scrape.text());
    expect(samples.filter(({ name }) => name === 'events_to_metrics').length).toBeGreaterThan(10);
    const { held, max } = await memoryOf(server, 'answers');
    expect(held).toBeLessThanOrEqual(max);
    for (const client of clients) client.socket.destroy();
    await until(async () => (await memoryOf(server, 'answers')).held === 0, SOON);
  },
  20_000,
);

it('scrapes of nothing that nobody reads take no more than their share, however they are asked for', async () => {
  await using server = await startServer(SMALL);
  const types = Array.from({ length: 1_000 }, (_, n) => `{"labels":{"type":"${'x'.repeat(100)}${n}"}}\n`);
  for (let from = 0; from < types.length; from += 250) {
    const body = types.slice(from, from + 250).join('');
    const posted = await fetch(`${server.url}/event`, {
      method: 'POST',
      headers: { 'Content-Type': NDJSON },
      body,
    });
    expect(posted.status).toBe(200);
  }
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(server.port)));
  const ask = (at: number) =>
    `GET /metrics?scraper=${at % 5} HTTP/1.1\r\nHost: test\r\nAccept: text/plain;version=1.0.0;escaping=${ESCAPINGS[at % 4]}\r\n\r\n`;
  // Whoever only looks is refused meanwhile.
  const answers = () => memoryOf(server, 'answers', 'scraper=other');
  for (const client of clients) {
    client.socket.pause();
    client.send(Array.from({ length: 30 }, (_, at) => ask(at)).join(''));
  }
  await until(async () => (await answers()).held > 0, SOON);
  for (let look = 0; look < 5; look += 1) {
    const { held, max } = await answers();
    expect(held).toBeLessThanOrEqual(max);
  }
  for (const client of clients) client.socket.destroy();
  await until(async () => (await answers()).held === 0, SOON);
}, 30_000);
