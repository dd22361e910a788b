import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** So much of a response is let through before it is cut: some of the head, so that a client does not ask again by itself. */
const LET_THROUGH_BYTES = 20;

/** A TCP proxy that cuts every response while it is told to. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  cutting: boolean;
}

export async function cuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1' });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target);
    target.on('data', (bytes: Buffer) => {
      if (proxy.cutting) client.write(bytes.subarray(0, LET_THROUGH_BYTES), () => client.destroy());
      else client.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = {
    port: (server.address() as AddressInfo).port,
    cutting: false,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return proxy;
}
