import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StaticAnswer {
  readonly contentType: string;
  readonly contentEncoding?: string | undefined;
  readonly body: Buffer | string;
}

/** A scrape target that gives the same answer to every scrape of a path, and remembers how it was asked. */
export interface StaticTarget extends AsyncDisposable {
  /** As `host:port`. */
  readonly address: string;
  /** The headers of the last request for each path. */
  readonly asked: ReadonlyMap<string, IncomingHttpHeaders>;
}

/** Serves answers by path on a loopback port. What is put into the map later is served from then on; a path without an answer is a 404. */
export async function serveStatic(answers: ReadonlyMap<string, StaticAnswer>): Promise<StaticTarget> {
  const asked = new Map<string, IncomingHttpHeaders>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://target').pathname;
    asked.set(path, request.headers);
    const answer = answers.get(path);
    if (answer === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', answer.contentType);
    if (answer.contentEncoding !== undefined) response.setHeader('Content-Encoding', answer.contentEncoding);
    response.end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
