/**
 * Many scrapers, each on a connection that it keeps, in a process of their own: `scrapeLoad.ts <port> <scrapers> <seconds> <interval ms> <headers as
 * JSON>`. An interval of 0 means that each asks again at once. Prints what came of it, as JSON.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from './statistics.ts';

/** What the load was, and how long its answers took. */
export interface ScrapeLoad {
  readonly perSecond: number;
  /** All scrapes, those that were answered after the time was over among them. */
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** Of one body as it came, in bytes. */
  readonly bodyBytes: number;
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;
const OK = 'HTTP/1.1 200 ';

class Client {
  readonly latencies: number[] = [];
  readonly closed: Promise<unknown>;
  bodyBytes = 0;
  readonly #socket: Socket;
  readonly #request: string;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #sentAt = 0;
  /** Bytes of the body that are still to come. */
  #left = 0;
  #isOver = false;

  constructor(socket: Socket, request: string, intervalMs: number) {
    this.#socket = socket;
    this.#request = request;
    this.#intervalMs = intervalMs;
    this.closed = once(socket, 'close');
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => {
      if (!this.#isOver) throw new Error('the server closed a connection');
    });
  }

  askIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, ms);
  }

  /** Ends the connection, but not before the answer is there that it waits for. */
  end(): void {
    this.#isOver = true;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#socket.end();
  }

  #ask(): void {
    this.#sentAt = performance.now();
    this.#socket.write(this.#request);
  }

  #read(chunk: Buffer): void {
    if (this.#left > 0) this.#left -= chunk.length;
    else {
      const headBytes = chunk.indexOf('\r\n\r\n') + 4;
      const head = chunk.toString('latin1', 0, headBytes);
      if (headBytes < 4 || !head.startsWith(OK))
        throw new Error(`no answer is ${chunk.toString('latin1', 0, 200)}`);
      this.bodyBytes = Number(CONTENT_LENGTH.exec(head)?.[1]);
      this.#left = headBytes + this.bodyBytes - chunk.length;
    }
    if (this.#left > 0) return;
    const took = performance.now() - this.#sentAt;
    this.latencies.push(took);
    if (this.#isOver) this.#socket.end();
    else if (this.#intervalMs === 0) this.#ask();
    else this.askIn(Math.max(0, this.#intervalMs - took));
  }
}

const [port = 0, scrapers = 0, seconds = 0, intervalMs = 0] = process.argv.slice(2, 6).map(Number);
const headers = Object.entries(JSON.parse(process.argv[6] ?? '{}') as Record<string, string>);
const clients: Client[] = [];
for (let i = 0; i < scrapers; i += 1) {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const lines = [`GET /metrics?scraper=s${i} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  lines.push(...headers.map(([name, value]) => `${name}: ${value}`), '', '');
  clients.push(new Client(socket, lines.join('\r\n'), intervalMs));
}
// Spread over the interval, as Prometheus spreads its targets.
for (const [i, client] of clients.entries()) client.askIn((i * intervalMs) / scrapers);
await sleep(seconds * 1000);
const inTime = clients.flatMap(({ latencies }) => latencies).length;
for (const client of clients) client.end();
await Promise.all(clients.map(({ closed }) => closed));
const latencies = clients.flatMap((client) => client.latencies);
const load: ScrapeLoad = {
  perSecond: inTime / seconds,
  count: latencies.length,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  bodyBytes: clients[0]?.bodyBytes ?? 0,
};
console.log(JSON.stringify(load));
