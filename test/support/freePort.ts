import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: one of those may be taken again at any moment. */
const FIRST = 20_000;
const PORTS = 12_000;
const TRIES = 100;

/** A loopback port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (let left = TRIES; ; left -= 1) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
    } catch (error) {
      if (left === 1) throw error;
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
