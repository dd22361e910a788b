import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { ServerOptions } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { snappyDecode } from './remoteRead.ts';
import type { WrittenSample } from './remoteWriteReader.ts';
import { readFirst, readWriteRequest } from './remoteWriteReader.ts';

/** A request as a receiver sees it. */
export interface WriteCall {
  /** From 0. */
  readonly number: number;
  readonly headers: IncomingHttpHeaders;
  readonly isSecond: boolean;
  readonly body: Buffer;
  readonly samples: readonly WrittenSample[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Stores samples, and answers 204 as the version asks; a part of them is told, too. */
  store(samples?: readonly WrittenSample[]): void;
  /** Stores samples, and answers nothing. */
  keep(samples?: readonly WrittenSample[]): void;
  answer(status: number, text?: string, headers?: Readonly<Record<string, string>>): void;
}

/** A receiver of remote write that does what a test says, in the test's process. */
export class RemoteWriteReceiver implements AsyncDisposable {
  readonly #server;
  readonly #isTls: boolean;
  #port = 0;
  /** All samples that it stored, as often as it did. */
  readonly stored: WrittenSample[] = [];
  readonly calls: WriteCall[] = [];
  /** What it does with each request. */
  handle: (call: WriteCall) => void | Promise<void>;
  /** Whether it reads whatever comes as 1.0, without a look at the content type. */
  isBlind = false;

  private constructor(handle: (call: WriteCall) => void | Promise<void>, tls: ServerOptions | undefined) {
    this.handle = handle;
    const called = (request: IncomingMessage, response: ServerResponse) =>
      void this.#called(request, response);
    this.#isTls = tls !== undefined;
    this.#server = tls === undefined ? createServer(called) : createTlsServer(tls, called);
  }

  static async start(
    handle: (call: WriteCall) => void | Promise<void> = (call) => call.store(),
    tls?: ServerOptions,
  ): Promise<RemoteWriteReceiver> {
    const receiver = new RemoteWriteReceiver(handle, tls);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    receiver.#port = (receiver.#server.address() as AddressInfo).port;
    return receiver;
  }

  get url(): string {
    return `${this.#isTls ? 'https' : 'http'}://127.0.0.1:${this.#port}/api/v1/write`;
  }

  /** The values of a label of what it stored, once each, in the order in which they came. */
  values(label: string): string[] {
    return [...new Set(this.stored.map(({ labels }) => labels[label] ?? ''))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #called(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      return;
    }
    const { headers, socket } = request;
    const body = Buffer.concat(chunks);
    const isSecond = headers['content-type']?.includes('v2.Request') === true;
    const series = this.isBlind
      ? readFirst(snappyDecode(body))
      : readWriteRequest(body, headers['content-type']);
    const samples = series.flatMap((each) =>
      each.samples.map((sample) => ({ ...sample, labels: each.labels })),
    );
    const keep = (some: readonly WrittenSample[] = samples) => void this.stored.push(...some);
    const call: WriteCall = {
      number: this.calls.length,
      headers,
      isSecond,
      body,
      samples,
      request,
      response,
      socket,
      keep,
      store: (some = samples) => {
        keep(some);
        const told = isSecond && !this.isBlind;
        response
          .writeHead(204, told ? { 'X-Prometheus-Remote-Write-Samples-Written': some.length } : {})
          .end();
      },
      answer: (status, text = '', more = {}) => void response.writeHead(status, more).end(text),
    };
    this.calls.push(call);
    await this.handle(call);
  }
}
