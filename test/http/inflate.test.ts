import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const MIB = 1024 * 1024;
const FORM = 'application/x-www-form-urlencoded';

async function post(server: RunningServer, body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}/event`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip', ...headers },
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const gzip = (text: string | Buffer) => Buffer.from(gzipSync(text));
const labelsIn = async (server: RunningServer) =>
  [...(await (await fetch(`${server.url}/metrics`)).text()).matchAll(/^events_to_metrics\{(.*)\} /gm)].map(
    ([, labels]) => labels,
  );

/** Text that gzip can't make shorter than about three quarters. */
const noise = (bytes: number) => {
  let text = '';
  for (let i = 0; text.length < bytes; i += 1)
    text += createHash('sha256').update(String(i)).digest('base64url');
  return text.slice(0, bytes);
};

describe('a compressed body', () => {
  it.each(['gzip', 'x-gzip', 'GZIP'])('in %s is what it was before', async (coding) => {
    await using server = await startServer();
    expect((await post(server, gzip('a=1&b=ü'), { 'Content-Encoding': coding })).status).toBe(200);
    expect(await labelsIn(server)).toEqual(['a="1",b="ü"']);
  });

  it('of lines is as long as a batch may be, not as another body', async () => {
    await using server = await startServer({ 'event.bodyMax': 1024, 'batch.bytesMax': MIB });
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, n) => `{"labels":{"n":"${n}","noise":"${noise(40)}"}}\n`).join('');
    const ndjson = { 'Content-Type': 'application/x-ndjson' };
    expect(await post(server, gzip(lines(200)), ndjson)).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^\{"accepted":200,"duplicates":0,"eventIds":\["e1-/) as string,
    });
    expect((await post(server, gzip(lines(20_000)), ndjson)).status).toBe(413);
    expect((await post(server, gzip(`a=${noise(2_000)}`))).status).toBe(413);
  });

  it('may come in several members, and chunked', async () => {
    await using server = await startServer();
    const body = Buffer.concat([gzip('a=1&'), gzip('b=2')]);
    const client = await RawClient.connect(server.port);
    client.send(
      request('POST', '/event', {
        'Content-Type': FORM,
        'Content-Encoding': 'gzip',
        'Transfer-Encoding': 'chunked',
      }),
    );
    for (const byte of body)
      client.send(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
    client.send('0\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    expect(await labelsIn(server)).toEqual(['a="1",b="2"']);
  });

  it.each([
    ['deflate', deflateSync('a=1')],
    ['br', brotliCompressSync('a=1')],
    ['gzip, gzip', gzipSync(gzipSync('a=1'))],
    ['zstd', Buffer.from('a=1')],
  ])('in %s is a 415 that says what is taken', async (coding, body) => {
    await using server = await startServer();
    const answer = await post(server, Buffer.from(body), { 'Content-Encoding': coding });
    expect(answer.status).toBe(415);
    expect(answer.headers.get('accept-encoding')).toBe('gzip');
    expect(await labelsIn(server)).toEqual([]);
  });

  it.each([
    ['cut anywhere', gzip('a=1&b=2').subarray(0, -5), 'body is incomplete'],
    ['cut in its head', gzip('a=1&b=2').subarray(0, 6), 'body is incomplete'],
    ['that is none', Buffer.from('a=1&b=2'), 'not valid gzip'],
    [
      'with a wrong checksum',
      Buffer.concat([gzip('a=1').subarray(0, -8), Buffer.alloc(8)]),
      'not valid gzip',
    ],
    ['with something after it', Buffer.concat([gzip('a=1'), Buffer.from('&b=2')]), 'not valid gzip'],
    [
      'with zeros after it',
      Buffer.concat([gzip('a=1'), Buffer.alloc(9)]),
      'more data after the compressed body',
    ],
  ])('%s is a 400, and nothing is stored', async (_what, body, why) => {
    await using server = await startServer();
    const answer = await post(server, Buffer.from(body));
    expect({ status: answer.status, text: answer.text }).toEqual({
      status: 400,
      text: expect.stringContaining(why) as string,
    });
    expect(await labelsIn(server)).toEqual([]);
  });

  it('is bounded by event.bodyMax as it comes out, and one byte more is a 413', async () => {
    await using server = await startServer({ 'event.bodyMax': 4096, 'event.labelValueMax': 4096 });
    expect((await post(server, gzip(`a=${'x'.repeat(4094)}`))).status).toBe(200);
    const refused = await post(server, gzip(`a=${'x'.repeat(4095)}`));
    // Inflating stops there, and doesn't go on behind the answer.
    expect({ status: refused.status, stopped: refused.text.includes('compressed or decompressed') }).toEqual({
      status: 413,
      stopped: true,
    });
    expect(await labelsIn(server)).toHaveLength(1);
  });

  it('is bounded by event.bodyMax as it comes in, too', async () => {
    await using server = await startServer({ 'event.bodyMax': 4096 });
    expect((await post(server, gzip(noise(8000)))).status).toBe(413);
  });

  it('that grows more than a hundred times beyond a MiB is a 413, though event.bodyMax would take it', async () => {
    await using server = await startServer({ 'event.bodyMax': 64 * MIB });
    const answer = await post(server, gzip(`a=${'x'.repeat(2 * MIB)}`));
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('100 times its length');
    // As long, but not as repetitive: it is read, and only then refused for its label.
    expect((await post(server, gzip(`a=${noise(2 * MIB)}`))).text).toContain('longer than 1023 bytes');
  });

  it('that is a bomb is not inflated: memory stays flat, and the connection answers', async () => {
    await using server = await startServer({ 'event.bodyMax': 256 * MIB });
    const bomb = gzip(Buffer.alloc(512 * MIB));
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 1);
    for (let i = 0; i < 5; i += 1) expect((await post(server, bomb)).status).toBe(413);
    clearInterval(watch);
    expect(most - before).toBeLessThan(64 * MIB);
    expect((await post(server, gzip('a=1'))).status).toBe(200);
  });

  it('that a client gives up in the middle is let go, and nothing is stored', async () => {
    await using server = await startServer();
    const body = gzip(noise(100_000));
    const client = await RawClient.connect(server.port);
    client.send(
      request('POST', '/event', {
        'Content-Type': FORM,
        'Content-Encoding': 'gzip',
        'Content-Length': String(body.length),
      }),
    );
    client.send(body.subarray(0, 50_000));
    client.reset();
    expect((await post(server, gzip('a=1'))).status).toBe(200);
    expect(await labelsIn(server)).toEqual(['a="1"']);
  });

  it('of a kind that is not taken is a 415, and the connection serves the next request', async () => {
    await using server = await startServer();
    const body = gzip(noise(300_000));
    const client = await RawClient.connect(server.port);
    client.send(
      request('POST', '/event', {
        'Content-Type': 'text/csv',
        'Content-Encoding': 'gzip',
        'Content-Length': String(body.length),
      }),
    );
    client.send(body);
    expect((await client.response()).status).toBe(415);
    client.get('/healthz');
    expect((await client.response()).status).toBe(200);
  });

  it('that is refused in the middle is answered, and the connection ends', async () => {
    await using server = await startServer({ 'event.bodyMax': 4096 });
    const body = gzip(Buffer.alloc(64 * MIB));
    const client = await RawClient.connect(server.port);
    client.send(
      request('POST', '/event', {
        'Content-Type': FORM,
        'Content-Encoding': 'gzip',
        'Transfer-Encoding': 'chunked',
      }),
    );
    client.send(
      Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]),
    );
    const { status, head } = await client.response();
    expect(status).toBe(413);
    expect(head).toMatch(/^connection: close$/im);
    expect((await post(server, gzip('a=1'))).status).toBe(200);
  });

  it('that is too long as it comes in, without a Content-Length, is a 413', async () => {
    await using server = await startServer({ 'event.bodyMax': 4096 });
    const body = gzip(noise(100_000)).subarray(0, 20_000);
    const client = await RawClient.connect(server.port);
    client.send(
      request('POST', '/event', {
        'Content-Type': FORM,
        'Content-Encoding': 'gzip',
        'Transfer-Encoding': 'chunked',
      }),
    );
    client.send(
      Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]),
    );
    expect((await client.response()).status).toBe(413);
    expect((await post(server, gzip('a=1'))).status).toBe(200);
  });
});

it('events that come as a stream may be longer than event.bodyMax, and no bomb either', async () => {
  await using server = await startServer({ 'event.bodyMax': 4096, 'store.kind': 'memory' });
  const lines = Array.from(
    { length: 200 },
    (_, n) => `${JSON.stringify({ labels: { n: String(n), v: noise(100) } })}\n`,
  );
  const stream = (body: Buffer<ArrayBuffer>) =>
    post(server, body, { 'Content-Type': 'application/x-ndjson' });
  expect((await stream(gzip(lines.join('')))).status).toBe(200);
  expect(await labelsIn(server)).toHaveLength(200);
  expect((await stream(gzip('\n'.repeat(16 * MIB)))).status).toBe(413);
  expect((await stream(gzip(lines.join('')).subarray(0, -100))).text).toContain('body is incomplete');
  expect(await labelsIn(server)).toEqual([]);
});

it('bodies that are refused, or given up, in their midst leave their turns to others', async () => {
  await using server = await startServer();
  const ndjson = { 'Content-Type': 'application/x-ndjson' };
  const rest = `${JSON.stringify({ labels: { v: noise(100) } })}\n`.repeat(10_000);
  // More of each than take turns at once.
  for (let n = 0; n < 6; n += 1) {
    expect((await post(server, gzip(`{"x":}\n${rest}`), ndjson)).status).toBe(400);
    expect((await post(server, gzip(`[${rest}`), { 'Content-Type': 'application/json' })).status).toBe(413);
    const body = gzip(noise(500_000));
    const client = await RawClient.connect(server.port);
    const head = { 'Content-Type': FORM, 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) };
    client.send(Buffer.concat([Buffer.from(request('POST', '/event', head)), body.subarray(0, -1)]));
    client.socket.resetAndDestroy();
  }
  const answer = await fetch(`${server.url}/event`, {
    method: 'POST',
    body: gzip('a=1'),
    headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip' },
    signal: AbortSignal.timeout(5_000),
  });
  expect(answer.status).toBe(200);
});

it('a request without a body may say what it likes about its coding', async () => {
  await using server = await startServer();
  const answer = await fetch(`${server.url}/event?a=1`, {
    method: 'POST',
    headers: { 'Content-Encoding': 'gzip' },
  });
  expect(answer.status).toBe(200);
});
