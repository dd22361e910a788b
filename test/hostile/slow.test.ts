import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';
import { FORM, GZIP, JSON_TYPE, NDJSON, gzipped } from './row.ts';
import { validScrape } from './runner.ts';
import { SETTINGS } from './themes.ts';

const LIMITS = { 'server.headTimeout': 400, 'server.requestTimeout': 1_000 };
/** How often a slow sender sends a byte, in ms. */
const DRIP_MS = 40;
/** Long after the limits, and long before a test's end. */
const CUT_MS_MAX = 6_000;

const head = (path: string, type: string, ...more: string[]) =>
  [`POST ${path} HTTP/1.1`, 'Host: test', `Content-Type: ${type}`, ...more, '', ''].join('\r\n');
const LONG = 'Content-Length: 10000';
const CHUNKED = 'Transfer-Encoding: chunked';

/** What is sent at once, and what drips behind it. */
type Slow = readonly [name: string, first: string | Buffer, drip: string];

const SLOW: readonly Slow[] = [
  ['a form', `${head('/event', FORM, LONG)}a=`, 'x'],
  ['JSON', `${head('/event', JSON_TYPE, LONG)}{`, ' '],
  ['NDJSON, of which each line is an event', head('/event', NDJSON, LONG), '{}\n'],
  ['NDJSON in chunks', head('/event', NDJSON, CHUNKED), '3\r\n{}\n\r\n'],
  ['chunks of one byte', head('/event', FORM, CHUNKED), '1\r\na\r\n'],
  ['an extension of a chunk', `${head('/event', FORM, CHUNKED)}1;`, 'x'],
  ['a trailer', `${head('/event', FORM, CHUNKED)}3\r\na=1\r\n0\r\n`, 'X-A: b\r\n'],
  [
    'a compressed body',
    Buffer.concat([
      Buffer.from(head('/event', NDJSON, LONG, `Content-Encoding: ${GZIP['Content-Encoding']}`)),
      gzipped('{}\n'.repeat(1000)).subarray(0, 20),
    ]),
    '\0',
  ],
  ['a webhook', `${head('/webhook/github', JSON_TYPE, LONG)}{`, ' '],
  ['a webhook with a secret', `${head('/webhook/builds', JSON_TYPE, LONG)}{`, ' '],
  ['alerts', `${head('/api/v2/alerts', JSON_TYPE, LONG)}[`, ' '],
  ['an annotation', `${head('/api/annotations', JSON_TYPE, LONG)}{`, ' '],
  ['a body that stops', `${head('/event', FORM, LONG)}a=`, ''],
  ['a URL', 'POST /event?a=', 'x'],
  ['a name of a header', 'POST /event?a=1 HTTP/1.1\r\n', 'x'],
  ['headers', 'POST /event?a=1 HTTP/1.1\r\nHost: test\r\n', 'X-A: b\r\n'],
  ['empty lines before a request', '', '\r\n'],
];

describe('what comes slowly', () => {
  let server: RunningServer;
  const cut = new Map<string, Promise<{ status: number; ms: number }>>();
  // All at once: each takes a second or two by itself.
  beforeAll(async () => {
    server = await startServer({ ...SETTINGS, ...LIMITS });
    for (const [name, first, drip] of SLOW) cut.set(name, cutOff(server.port, first, drip));
    await Promise.allSettled(cut.values());
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(SLOW)('%s is cut with a 408', async (name) => {
    const { status, ms } = (await cut.get(name)) ?? {};
    expect(status).toBe(408);
    expect(ms).toBeLessThan(CUT_MS_MAX);
  });

  it('leaves nothing in the log, and scrapes valid', async () => {
    const feed = await fetch(`${server.url}/api/v1/events`);
    expect(await feed.json()).toMatchObject({ end: 0, events: [] });
    await validScrape({ port: server.port });
  });
});

async function cutOff(
  port: number,
  first: string | Buffer,
  drip: string,
): Promise<{ status: number; ms: number }> {
  const client = await RawClient.connect(port);
  const started = performance.now();
  client.send(first);
  const timer = setInterval(() => client.send(drip), DRIP_MS);
  client.socket.once('close', () => clearInterval(timer));
  try {
    const { status } = await client.response();
    await expect(client.response()).rejects.toThrow('the connection ended');
    return { status, ms: performance.now() - started };
  } finally {
    clearInterval(timer);
    client.socket.destroy();
  }
}

it('a hundred slow senders keep nobody else waiting', async () => {
  await using server = await startServer({ ...SETTINGS, ...LIMITS });
  const slow = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(server.port)));
  for (const client of slow) client.send(`${head('/event', FORM, LONG)}a=`);
  const answer = await fetch(`${server.url}/event?a=1`, { method: 'POST' });
  expect(await answer.json()).toMatchObject({ accepted: 1 });
  const statuses = await Promise.all(slow.map(async (client) => (await client.response()).status));
  expect(new Set(statuses)).toEqual(new Set([408]));
});
