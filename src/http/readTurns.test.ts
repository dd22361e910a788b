import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { ReadTurns } from './readTurns.ts';

/** What Node's parser reads at once, in bytes. */
const READ_BYTES = 64 * 1024;
const CHUNK = '1\r\nx\r\n';
const CHUNKS = 150_000;

it('a body of small chunks is read a piece in each turn of the event loop, and whole in the end', async () => {
  const reads = new ReadTurns();
  const connections = 3;
  let inTurn = 0;
  let most = 0;
  let length = 0;
  let isOver = false;
  const count = (): void => {
    most = Math.max(most, inTurn);
    inTurn = 0;
    if (!isOver) setImmediate(count);
  };
  const server = createServer((request, response) => {
    reads.pace(request);
    request.on('data', (chunk: Buffer) => {
      inTurn += 1;
      length += chunk.length;
    });
    request.once('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  setImmediate(count);
  for (const client of clients) {
    client.resume();
    client.end(
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK.repeat(CHUNKS)}0\r\n\r\n`,
    );
  }
  await Promise.all(clients.map((client) => once(client, 'close')));
  isOver = true;
  server.close();
  expect(length).toBe(connections * CHUNKS);
  // One read of each connection, where all come at once.
  expect(most).toBeLessThan((connections + 1) * (READ_BYTES / CHUNK.length));
}, 30_000);
