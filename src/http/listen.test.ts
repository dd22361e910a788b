import { once } from 'node:events';
import type { ListenOptions } from 'node:net';
import { connect, createServer, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { listenOn } from './listen.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

/** Whether somebody listens there. */
async function answers(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** What a kernel without IPv6 makes of it. */
class WithoutIpv6 extends Server {
  readonly #code: string;

  constructor(code: string) {
    super();
    this.#code = code;
  }

  override listen(...given: readonly unknown[]): this {
    const [options, listening] = given as [ListenOptions, () => void];
    const { host = '' } = options;
    if (!host.includes(':')) return super.listen(options, listening);
    const error = Object.assign(new Error(`listen ${this.#code}: ${host}`), { code: this.#code });
    process.nextTick(() => this.emit('error', error));
    return this;
  }
}

it.runIf(hasIpv6)('listens on IPv6 and IPv4 for ::', async () => {
  const server = createServer();
  const { port, address } = await listenOn(server, 0, '::');
  expect(address).toBe('::');
  expect([await answers(port, '::1'), await answers(port, '127.0.0.1')]).toEqual([true, true]);
  server.close();
});

it.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('listens on IPv4 for :: where IPv6 is %s', async (code) => {
  const server = new WithoutIpv6(code);
  const { port, address } = await listenOn(server, 0, '::');
  expect([address, await answers(port, '127.0.0.1')]).toEqual(['0.0.0.0', true]);
  server.close();
});

it('rejects for any other address, and for any other reason', async () => {
  await expect(listenOn(new WithoutIpv6('EAFNOSUPPORT'), 0, '::1')).rejects.toThrow('EAFNOSUPPORT: ::1');
  await expect(listenOn(new WithoutIpv6('EACCES'), 0, '::')).rejects.toThrow('EACCES: ::');
  const first = createServer();
  const { port } = await listenOn(first, 0, '127.0.0.1');
  await expect(listenOn(createServer(), port, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
  first.close();
});
