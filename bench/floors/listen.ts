import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a bare server on a free loopback port, and tells it as our server does: the benches find the port by that line. */
export function listen(listener: RequestListener): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(0, '127.0.0.1', () => {
    console.log(`  listens  http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}
