import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A proxy that passes requests on, and swallows the first answers: their connections are reset instead. */
export interface SwallowingProxy extends AsyncDisposable {
  readonly url: string;
  /** Each request as it was passed on. */
  readonly requests: readonly string[];
}

/** `swallow` says how many answers are swallowed; `onAnswer` is told of each before that. */
export async function startSwallowingProxy(
  port: number,
  swallow: number,
  onAnswer: () => Promise<void> | void = () => undefined,
): Promise<SwallowingProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let answers = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const cut = async () => {
      await onAnswer();
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.resetAndDestroy());
    client.on('data', (chunk) => {
      const text = chunk.toString();
      if (text.startsWith('POST ')) requests.push(text);
      else requests.push(`${requests.pop() ?? ''}${text}`);
      upstream.write(chunk);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', (chunk) => {
      answers += 1;
      if (answers > swallow) client.write(chunk);
      else void cut();
    });
    upstream.on('end', () => client.end());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
