import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { Share } from '../core/memory.ts';
import type { Scrapes } from '../delivery/scrape.ts';
import { Closings } from './closings.ts';
import { Connections } from './connections.ts';
import { TrustedProxies } from './proxies.ts';

const MEBIBYTE = 1024 * 1024;

/** An HTTP server whose connections are watched. `answer` gets each request that is not of a connection that was cut. */
async function serve(
  share: Share,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ closings: Closings; open: () => Socket } & AsyncDisposable> {
  const scrapes = { onWithdrawn: () => undefined, observe: () => false } as unknown as Scrapes;
  const closings = new Closings(() => undefined);
  const server = createServer((request, response) => {
    if (!request.socket.destroyed) answer(request, response);
  });
  new Connections(scrapes, () => 0, new TrustedProxies([]), closings, share).watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients: Socket[] = [];
  return {
    closings,
    open: () => {
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

it('requests that are pipelined without an end are not made objects of, and their connection is closed', async () => {
  const share = new Share(64 * MEBIBYTE);
  let came = 0;
  await using server = await serve(share, () => (came += 1));
  const client = server.open();
  client.write(GET.repeat(5_000));
  await new Promise((resolve) => client.once('close', resolve));
  expect(came).toBe(65);
  expect(server.closings.counts.pipelined).toBe(1);
  await expect.poll(() => share.held).toBe(0);
});

it('all that wait take a part of the memory for requests, from however many connections', async () => {
  const share = new Share(MEBIBYTE);
  let most = 0;
  await using server = await serve(share, () => (most = Math.max(most, share.held)));
  const clients = Array.from({ length: 20 }, () => server.open());
  for (const client of clients) client.write(GET.repeat(25));
  await expect.poll(() => server.closings.counts.pipelined).toBeGreaterThanOrEqual(17);
  expect(most).toBe(MEBIBYTE / 4);
});

it('requests that are pipelined are answered, beyond the limit too, by whoever reads the answers', async () => {
  const share = new Share(MEBIBYTE * 64);
  await using server = await serve(share, (request, response) => {
    request.resume().once('end', () => setImmediate(() => response.end('x')));
  });
  const client = server.open();
  const body = 'b'.repeat(10_000);
  // Some six of these come in one read.
  const one = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let answers = '';
  client.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
  client.write(one.repeat(300));
  await expect.poll(() => answers.split('HTTP/1.1 200').length - 1, { timeout: 10_000 }).toBe(300);
  expect(server.closings.counts.pipelined).toBe(0);
  expect(share.held).toBe(0);
});
