import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Access } from '../../access/access.ts';
import type { Draft } from '../../intake/draft.ts';
import { millis } from '../../core/millis.ts';
import { PlainReader } from '../../read/plainReader.ts';
import type { Ingested } from '../../intake/ingest.ts';
import { Admission } from '../auth/admission.ts';
import { WriteLimits } from '../auth/writeLimits.ts';
import { AllowedHosts } from '../browsers/hosts.ts';
import { ForeignPages } from '../browsers/pages.ts';
import { TrustedProxies } from '../proxies.ts';
import type { PostLaneParts } from './postLane.ts';
import { openPostLane } from './postLane.ts';

const post = (query: string) => `POST /event?${query} HTTP/1.1\r\nHost: test\r\n\r\n`;
const withBody = (type: string, body: string) =>
  `POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const ACCEPTED: Ingested = {
  accepted: 1,
  duplicates: 0,
  outcomes: ['accepted'],
  stored: undefined,
  places: [],
  events: [],
  refused: new Map(),
};
/** Lets everybody in. */
const OPEN = new Admission({
  access: Access.withoutFiles(),
  writeLimits: new WriteLimits(
    { 'limits.perClient': 0, 'limits.perClientBurst': 1, 'limits.total': 0, 'limits.totalBurst': 1 },
    () => 0,
  ),
  hosts: new AllowedHosts([]),
  foreignPages: new ForeignPages([]),
  proxies: new TrustedProxies([]),
  elapsed: () => 0,
});
const BEGIN = millis(Date.UTC(2026, 0, 1, 0, 0, 0, 400));

/** A lane before an HTTP server that answers with the method and the URL, and what both were asked for. */
class Bench implements AsyncDisposable {
  readonly #server: Server;
  readonly drafts: Draft[] = [];
  /** How the events of bodies are to be taken. */
  readonly options: unknown[] = [];
  readonly parsed: string[] = [];
  readonly observed: string[] = [];
  readonly failed: unknown[] = [];
  /** Requests of the lane that wait for their answers. */
  running = 0;
  isOpen = true;
  now = BEGIN;
  /** What becomes of an event. */
  one: () => Promise<Ingested> = () => Promise.resolve(ACCEPTED);

  private constructor(options: ServerOptions) {
    this.#server = createServer(options, ({ method, url }, response) => {
      this.parsed.push(`${method} ${url}`);
      response.end(`${method} ${url}`);
    });
    const parts: PostLaneParts = {
      isOpen: () => this.isOpen,
      admission: OPEN,
      endpoint: { access: 'write', limits: 'posts' },
      ingest: {
        one: (draft) => {
          this.drafts.push(draft);
          return this.one();
        },
        ingest: (reads, how) => {
          this.drafts.push(...(reads as Iterable<Draft>));
          this.options.push(how);
          return this.one();
        },
      },
      rules: { pairsMax: 100, stream: { lineBytesMax: 100, bytesMax: 1_000 }, plain: new PlainReader() },
      urlBytesMax: 64 * 1024,
      connections: { begun: () => (this.running += 1), answered: () => (this.running -= 1) },
      observeRequest: (...request) => this.observed.push(request.join(' ')),
      news: {
        refused: () => undefined,
        leftOut: () => undefined,
        failed: (error) => this.failed.push(error),
      },
      clock: () => this.now,
    };
    openPostLane(this.#server, parts);
  }

  static async start(options: ServerOptions = {}): Promise<Bench> {
    const bench = new Bench(options);
    bench.#server.listen(0, '127.0.0.1');
    await once(bench.#server, 'listening');
    return bench;
  }

  async connect(): Promise<Client> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Client(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** A connection, and all that came on it. */
class Client {
  readonly socket: Socket;
  text = '';
  hasEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    socket.on('close', () => (this.hasEnded = true));
  }

  /** Sends bytes, and waits until they have arrived, and what could be answered was. */
  async send(text: string): Promise<void> {
    this.socket.write(text);
    await turns();
  }
}

/** Enough of them for bytes to go from one end to the other within this process, and back. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await setImmediate();
}

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

describe('a plain post', () => {
  it('is stored, answered and counted, and no request of the HTTP server', async () => {
    await using bench = await Bench.start({ keepAliveTimeout: 7_900 });
    const client = await bench.connect();
    await client.send(post('a=1'));
    expect(bench).toMatchObject({
      drafts: [{ labels: [['a', '1']] }],
      observed: ['/event POST 200'],
      parsed: [],
    });
    expect(client.text).toBe(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 14\r\n' +
        'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n\r\n{"accepted":1}',
    );
    client.socket.destroy();
  });

  it('is answered with the time that it is', async () => {
    await using bench = await Bench.start();
    const client = await bench.connect();
    for (const later of [0, 500, 600, -1000]) {
      bench.now = millis(BEGIN + later);
      await client.send(post('a=1'));
    }
    expect([...client.text.matchAll(/Date: .*(\d\d:\d\d:\d\d) GMT/g)].map(([, time]) => time)).toEqual([
      '00:00:00',
      '00:00:00',
      '00:00:01',
      '23:59:59',
    ]);
    client.socket.destroy();
  });

  it("that fails by a programmer's error is a 500, which is told", async () => {
    await using bench = await Bench.start();
    const client = await bench.connect();
    bench.one = () => Promise.reject(new TypeError('oops'));
    await client.send(post('a=1'));
    expect(statuses(client.text)).toEqual([500]);
    expect(client.text).not.toContain('oops');
    expect(bench).toMatchObject({ failed: [new TypeError('oops')], parsed: [] });
    client.socket.destroy();
  });
});

describe('a plain post with a body', () => {
  it.each([
    ['is no JSON', withBody('application/json', '{')],
    ['is longer than event.bodyMax', withBody('application/json', `{}${' '.repeat(99)}`)],
    ['is longer than batch.bytesMax', withBody('application/x-ndjson', '{}\n'.repeat(334))],
    [
      'has a line that is longer than event.bodyMax',
      withBody('application/x-ndjson', `{}\n{${' '.repeat(100)}}`),
    ],
  ])('that %s is a matter of the HTTP server', async (_what, text) => {
    await using bench = await Bench.start();
    const client = await bench.connect();
    await client.send(text);
    expect(bench).toMatchObject({ parsed: ['POST /event'], observed: [], running: 0 });
    client.socket.destroy();
  });
});

describe('what comes while an answer is due', () => {
  it("waits for it, and is the HTTP server's, in order", async () => {
    await using bench = await Bench.start();
    const { promise, resolve } = Promise.withResolvers<Ingested>();
    bench.one = () => promise;
    const client = await bench.connect();
    for (const text of [post('a=1'), post('b=2'), 'GET /c HTT', 'P/1.1\r\nHost: test\r\n\r\n'])
      await client.send(text);
    expect(bench).toMatchObject({ drafts: [{}], parsed: [], running: 1 });
    expect(client.text).toBe('');
    resolve(ACCEPTED);
    await turns();
    expect(bench).toMatchObject({ drafts: [{}], parsed: ['POST /event?b=2', 'GET /c'], running: 0 });
    expect(client.text.replaceAll(/HTTP[^]*?\r\n\r\n/g, '|')).toBe('|{"accepted":1}|POST /event?b=2|GET /c');
    client.socket.destroy();
  });

  it.each(['resetAndDestroy', 'end'] as const)("is nobody's when the client leaves by %s", async (leave) => {
    await using bench = await Bench.start();
    const { promise, resolve } = Promise.withResolvers<Ingested>();
    bench.one = () => promise;
    const client = await bench.connect();
    await client.send(post('a=1'));
    client.socket[leave]();
    await turns();
    resolve(ACCEPTED);
    await turns();
    expect(bench).toMatchObject({ observed: ['/event POST 200'], parsed: [], running: 0 });
    expect(client.hasEnded).toBe(true);
  });
});

describe('a connection', () => {
  it('whose client does not read goes to the HTTP server before its answers pile up here', async () => {
    await using bench = await Bench.start();
    const client = await bench.connect();
    client.socket.pause();
    // Long ones, since the kernel holds some MiB.
    const long = 'x'.repeat(1 << 20) as unknown as number;
    bench.one = () => Promise.resolve({ ...ACCEPTED, accepted: long });
    const body = withBody('application/x-ndjson', '{}\n');
    for (let n = 0; n < 100 && bench.parsed.length === 0; n += 1) await client.send(body);
    expect(bench.parsed).toEqual(['POST /event']);
    expect(bench.drafts.length).toBeGreaterThan(1);
    client.socket.destroy();
  });

  it('goes to the HTTP server at once where the lane is closed, and with its next request where it closes', async () => {
    await using bench = await Bench.start();
    const early = await bench.connect();
    await early.send(post('a=1'));
    bench.isOpen = false;
    const late = await bench.connect();
    await turns();
    bench.isOpen = true;
    await late.send(post('b=2'));
    bench.isOpen = false;
    await early.send(post('c=3'));
    expect(bench).toMatchObject({ drafts: [{}], parsed: ['POST /event?b=2', 'POST /event?c=3'] });
    for (const { socket } of [early, late]) socket.destroy();
  });

  it('that is idle after an answer is closed as the HTTP server would', async () => {
    await using bench = await Bench.start({ keepAliveTimeout: 50, keepAliveTimeoutBuffer: 50 });
    const client = await bench.connect();
    await client.send(post('a=1'));
    await sleep(30);
    await client.send(post('b=2'));
    expect(client.hasEnded).toBe(false);
    await expect.poll(() => client.hasEnded).toBe(true);
    expect(statuses(client.text)).toEqual([200, 200]);
  });
});
