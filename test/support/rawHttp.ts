import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';

/** An HTTP/1.1 client that does what no library lets it: keep a socket in hand, stop reading, end it, reset it. */
export class RawClient {
  readonly socket: Socket;
  /** What carries it: the TCP socket below TLS, or the same. */
  readonly #carrier: Socket;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(socket: Socket, carrier = socket) {
    this.socket = socket;
    this.#carrier = carrier;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  static async connect(
    port: number,
    options: { host?: string; localAddress?: string; allowHalfOpen?: boolean } = {},
  ): Promise<RawClient> {
    const socket = connect({ port, host: options.host ?? '127.0.0.1', ...options });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  /** The same over TLS. Rejects where the handshake fails. */
  static async connectTls(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
    const carrier = connect({ port, host: '127.0.0.1' });
    const socket = connectTls({ servername: 'localhost', ...options, socket: carrier });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection ended in the handshake')));
    });
    return new RawClient(socket, carrier);
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  get(path: string, headers: Record<string, string> = {}): void {
    this.send(request('GET', path, headers));
  }

  /** A whole response, by its Content-Length. */
  async response(): Promise<{ status: number; head: string; body: string; raw: Buffer }> {
    for (;;) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd !== -1) {
        const head = this.#received.subarray(0, headEnd).toString('latin1');
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        const end = headEnd + 4 + length;
        if (this.#received.length >= end) {
          const raw = this.#received.subarray(headEnd + 4, end);
          this.#received = this.#received.subarray(end);
          return { status: Number(head.slice(9, 12)), head, body: raw.toString(), raw };
        }
      }
      await this.#more();
    }
  }

  /** Waits for so many bytes, and leaves them. */
  async bytes(count: number): Promise<void> {
    while (this.#received.length < count) await this.#more();
  }

  /** Ends the connection as a client does that has read everything. */
  end(): void {
    this.socket.end();
  }

  /** Ends it as the kernel does for a client that dies with bytes unread. */
  reset(): void {
    this.#carrier.resetAndDestroy();
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error(`the connection ended after ${this.#received.length} bytes`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

export function request(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): string {
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: test\r\n${lines.join('')}\r\n${body ?? ''}`;
}
