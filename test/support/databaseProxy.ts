import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** What becomes of the next group that is written, and of its connection, which ends. */
export type Fault =
  /** It never arrives. */
  | 'statement lost'
  /** It is done, and nobody hears of it. */
  | 'answer lost'
  /** The connection ends before it arrives, and it arrives all the same, later. */
  | 'statement late';

/** How much later, in ms. */
const LATE_MS = 300;
/** Stands in each statement that writes. */
const WRITES = Buffer.from('WITH mine');

/** A TCP proxy before a database, which loses what it is told to. */
export class DatabaseProxy implements AsyncDisposable {
  readonly #server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #fault: Fault | undefined;
  #andAway = false;
  #isClosed = false;
  /** Faults that happened. */
  struck = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#pass(client));
  }

  static async start(target: number): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Does this to the next group; `andAway`: no other connection is let through from then on. */
  strike(fault: Fault, andAway = false): void {
    this.#fault = fault;
    this.#andAway = andAway;
  }

  /** Ends all connections, and every new one at once. */
  cutOff(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The connections that there are pass nothing on any more, and nobody hears of it. */
  freeze(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('data').resume();
  }

  restore(): void {
    this.#isClosed = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutOff();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(client: Socket): void {
    if (this.#isClosed) {
      client.destroy();
      return;
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let isLate = false;
    let losesAnswer = false;
    client.on('data', (bytes: Buffer) => {
      const fault = bytes.includes(WRITES) ? this.#fault : undefined;
      if (fault === undefined) {
        server.write(bytes);
        return;
      }
      this.#fault = undefined;
      this.struck += 1;
      if (this.#andAway) this.#isClosed = true;
      if (fault === 'answer lost') {
        losesAnswer = true;
        server.write(bytes);
        return;
      }
      isLate = fault === 'statement late';
      if (isLate) setTimeout(() => server.end(bytes), LATE_MS);
      client.destroy();
    });
    server.on('data', (bytes: Buffer) => {
      if (losesAnswer) {
        client.destroy();
        server.destroy();
      } else client.write(bytes);
    });
    client.on('close', () => {
      if (!isLate) server.destroy();
    });
    server.on('close', () => client.destroy());
  }
}
