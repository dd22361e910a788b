import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a receiver of remote write, passes each request on, and gives back the answer, unless it is told to drop it. */
export class AnswerDropper implements AsyncDisposable {
  readonly #server;
  #passed = 0;
  #dropped = 0;

  private constructor(target: string, drops: (request: number) => boolean) {
    this.#server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
        const headers = Object.fromEntries(
          Object.entries(request.headers).filter(
            ([name]) => !['host', 'connection', 'content-length'].includes(name),
          ),
        ) as Record<string, string>;
        const answer = await fetch(target, { method: 'POST', headers, body: Buffer.concat(chunks) });
        const text = await answer.text();
        this.#passed += 1;
        if (drops(this.#passed)) {
          this.#dropped += 1;
          request.socket.destroy();
        } else response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(text);
        // Who is away, or goes, gets nothing.
      })().catch(() => request.socket.destroy());
    });
  }

  /** `drops`: whether the answer to a request, counted from 1, is dropped. */
  static async start(target: string, drops: (request: number) => boolean): Promise<AnswerDropper> {
    const dropper = new AnswerDropper(target, drops);
    await new Promise<void>((resolve) => dropper.#server.listen(0, '127.0.0.1', resolve));
    return dropper;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** How many answers were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
