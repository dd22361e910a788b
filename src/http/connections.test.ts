import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { Share } from '../core/memory.ts';
import type { Scrapes } from '../delivery/scrape.ts';
import { Closings } from './closings.ts';
import { Connections } from './connections.ts';
import { TrustedProxies } from './proxies.ts';

it('a response that waits for the one before it has not gone into the socket, though it is complete', async () => {
  const flushed = vi.fn<Scrapes['flushed']>();
  const scrapes = { onWithdrawn: () => undefined, observe: () => false, flushed } as unknown as Scrapes;
  const connections = new Connections(
    scrapes,
    () => 0,
    new TrustedProxies([]),
    new Closings(() => undefined),
    new Share(1024 * 1024),
  );
  const slow = Promise.withResolvers<ServerResponse>();
  const server = createServer();
  connections.watch(server);
  server.on('request', (request, response) => {
    if (request.url === '/slow') slow.resolve(response);
    else {
      const offer = { scraperId: 'a', offerId: 7, askedAt: 0, timeoutMs: undefined };
      connections.carry(request, response, offer, () => response.end('x'));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
  client.write(get('/slow') + get('/fast'));
  const response = await slow.promise;
  await new Promise(setImmediate);
  expect(flushed).not.toHaveBeenCalled();
  response.end();
  await expect.poll(() => flushed.mock.calls).toEqual([['a', 7]]);
  client.destroy();
  server.close();
});
