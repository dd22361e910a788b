import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** More than any request has: a sender believes it. */
const WRITTEN = String(1e9);

/** A receiver of remote write that reads whatever it is sent, and answers at once that it has stored it, or that it can't. In this process, away from the server's core. */
export class WriteReceiver implements AsyncDisposable {
  readonly #server;
  /** Whether it takes what it is sent. */
  isOpen = true;
  requests = 0;
  bytes = 0;
  /** When the first and the last request came that it took, in ms of this process, since it was asked to look. */
  first = 0;
  last = 0;

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
      request.on('end', () => {
        if (!this.isOpen) {
          response.writeHead(503).end();
          return;
        }
        this.requests += 1;
        this.last = performance.now();
        if (this.first === 0) this.first = this.last;
        response.writeHead(204, { 'X-Prometheus-Remote-Write-Samples-Written': WRITTEN }).end();
      });
    });
  }

  static async start(): Promise<WriteReceiver> {
    const receiver = new WriteReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** The flag that makes it a server's sink. */
  get flag(): string {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    return `--sinks=${JSON.stringify({ db: { url } })}`;
  }

  /** Looks anew. */
  begin(): void {
    this.first = 0;
    this.requests = 0;
    this.bytes = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
