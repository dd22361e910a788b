import type { AddressInfo, Server } from 'node:net';

/**
 * So many connections may wait to be accepted, as far as the kernel lets them. With Node's own 511, some of a thousand that come at once
 * would have to try again after a second, or after three, or seven.
 */
const BACKLOG = 65_535;
/** What a machine says that has no IPv6: its kernel is without, or none of its addresses is one. */
const WITHOUT_IPV6: ReadonlySet<string | undefined> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Listens on IPv6 and IPv4 for `::`; where the machine has no IPv6, on IPv4 alone. Rejects with what stands against it. */
export async function listenOn(server: Server, port: number, host: string): Promise<AddressInfo> {
  try {
    return await listen(server, port, host);
  } catch (error) {
    if (host !== '::' || !WITHOUT_IPV6.has((error as NodeJS.ErrnoException).code)) throw error;
    return listen(server, port, '0.0.0.0');
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  server.once('error', reject);
  server.listen({ port, host, backlog: BACKLOG }, () => {
    server.off('error', reject);
    resolve(server.address() as AddressInfo);
  });
  return promise;
}
