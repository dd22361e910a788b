import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { FaultProxy } from '../support/faultProxy.ts';
import type { Place } from '../support/faultProxy.ts';
import {
  HOW_TO_GET_NAMESPACES,
  NetworkNamespaces,
  Wire,
  requireNamespaces,
} from '../support/networkNamespaces.ts';
import { RawClient } from '../support/rawHttp.ts';
import { snappyDecode } from '../support/remoteRead.ts';
import { Random } from './random.ts';

const BODY = 'x'.repeat(1_000);
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const STRIKE_MS_MAX = 2_000;

/** Answers every chunk with the same response, and remembers how each connection ended. */
async function answering() {
  const ends: string[] = [];
  const server = createServer((socket) => {
    let how = 'fin';
    socket.on('data', () => void socket.write(RESPONSE));
    socket.on('error', () => (how = 'rst'));
    socket.on('close', () => void ends.push(how));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, ends, [Symbol.dispose]: () => void server.close() };
}

test.each<[Place, number]>([
  ['first', 0],
  ['middle', Math.floor(RESPONSE.length / 2)],
  ['last', RESPONSE.length - 1],
  ['after', RESPONSE.length],
  [7, 7],
])('the proxy cuts a response at %s after exactly %i bytes, and only that one', async (at, bytes) => {
  using target = await answering();
  await using proxy = new FaultProxy({ host: '127.0.0.1', port: () => target.port });
  await proxy.start();
  for (const server of ['fin', 'rst'] as const) {
    const client = await RawClient.connect(proxy.port);
    client.get('/whole');
    expect((await client.response()).body).toBe(BODY);
    const struck = proxy.strike({ kind: 'cut', at, client: 'fin', server }, STRIKE_MS_MAX);
    let received = 0;
    client.socket.on('data', (chunk: Buffer) => (received += chunk.length));
    client.get('/cut');
    expect(await struck).toBe(true);
    await once(client.socket, 'end');
    expect(received).toBe(bytes);
    await expect.poll(() => target.ends.at(-1)).toBe(server);
  }
});

test('the proxy stalls a response, and passes the rest on afterwards', async () => {
  using target = await answering();
  await using proxy = new FaultProxy({ host: '127.0.0.1', port: () => target.port });
  await proxy.start();
  const client = await RawClient.connect(proxy.port);
  const struck = proxy.strike({ kind: 'stall', at: 'middle', ms: 300 }, STRIKE_MS_MAX);
  const began = performance.now();
  client.get('/');
  await struck;
  expect((await client.response()).body).toBe(BODY);
  expect(performance.now() - began).toBeGreaterThan(290);
  client.end();
  await once(client.socket, 'close');
});

test('snappy blocks are decoded: literals, and copies that overlap what they write', () => {
  const literal = [2 << 2, ...Buffer.from('abc')];
  // Seven bytes from three bytes back: a copy of the second kind with a 2-byte offset.
  const copy = [((7 - 1) << 2) | 2, 3, 0];
  expect(snappyDecode(Buffer.from([10, ...literal, ...copy])).toString()).toBe('abcabcabca');
  // Four bytes from one byte back: the first kind.
  expect(snappyDecode(Buffer.from([7, ...literal, 1, 1])).toString()).toBe('abccccc');
  expect(() => snappyDecode(Buffer.from([4, ...copy]))).toThrow('before the start');
});

test('random choices are the same for the same seed', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('the wire loses what it is told to, resets, slows down, and heals', async ({ skip }) => {
  if (!requireNamespaces()) skip(HOW_TO_GET_NAMESPACES);
  using made = NetworkNamespaces.create('wire');
  const wire = new Wire(made.server);
  const inside = (namespace: string, script: string) => {
    const [command, ...args] = NetworkNamespaces.inside(namespace);
    return spawn(command as string, [...args, process.execPath, '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
  const server = inside(
    made.server,
    `require('node:http').createServer((_, response) => response.end('x'.repeat(4_000)))
       .listen(80, '0.0.0.0', () => console.log('listens'))`,
  );
  /** What a client gets within a second, and after how many ms. */
  const get = async (address: string): Promise<{ what: string; ms: number }> => {
    const began = `const began = performance.now(); const tell = (what) => {
      console.log(JSON.stringify({ what, ms: performance.now() - began })); process.exit(); };`;
    const ask = `fetch('http://${address}', { signal: AbortSignal.timeout(1_000) })
      .then((response) => response.text()).then((body) => tell(String(body.length)))
      .catch((error) => tell(error.cause?.code ?? error.name));`;
    return JSON.parse(await text(inside(made.client, began + ask).stdout)) as { what: string; ms: number };
  };
  try {
    await once(server.stdout, 'data');
    expect(await get(NetworkNamespaces.WIRE.server)).toMatchObject({ what: '4000' });
    wire.lose(1);
    expect(await get(NetworkNamespaces.WIRE.server)).toMatchObject({ what: 'TimeoutError' });
    expect(await get(NetworkNamespaces.BACK.server)).toMatchObject({ what: '4000' });
    wire.reset();
    expect(await get(NetworkNamespaces.WIRE.server)).toMatchObject({ what: 'ECONNREFUSED' });
    wire.heal();
    // Of 4,000 bytes all but a burst of 2,048 have to wait for their turn.
    wire.slow(30_000, 0);
    expect((await get(NetworkNamespaces.WIRE.server)).ms).toBeGreaterThan(400);
    wire.heal();
    expect(await get(NetworkNamespaces.WIRE.server)).toMatchObject({ what: '4000' });
    wire.lose(0.4);
    const lossy = await Promise.all(Array.from({ length: 8 }, () => get(NetworkNamespaces.WIRE.server)));
    // A lost packet comes again after 200 ms at the soonest.
    expect(lossy.some(({ ms }) => ms > 200)).toBe(true);
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
});
