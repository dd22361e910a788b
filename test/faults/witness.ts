import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from '../support/rawHttp.ts';
import type { FaultyServer } from './faultyServer.ts';

const ID = 'witness';
const EVERY_MS = 200;
const ANSWER_MS_MAX = 5_000;
const LINE = /^events_to_metrics\{s="(\d+)"\} (\d+) (\d+)$/gm;

/** An event as another scraper saw it: which series, and at which time in Unix ms. */
export interface Seen {
  readonly series: string;
  readonly time: number;
}

/**
 * A second scraper, on a link without faults, that learns the time of every event from the text format. It tells, too, whether the
 * server ever gave one event two times.
 */
export class Witness implements AsyncDisposable {
  readonly seen = new Map<number, Seen>();
  /** Events that came with different times. */
  readonly contradictions: string[] = [];
  readonly #server: FaultyServer;
  #running = true;
  #done: Promise<void> = Promise.resolve();

  constructor(server: FaultyServer) {
    this.#server = server;
  }

  start(): void {
    this.#done = this.#watch();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #watch(): Promise<void> {
    while (this.#running) {
      try {
        await this.#scrapeOn();
      } catch {
        // The server is down, or was; the next connection gets all that this one did not confirm.
      }
      await sleep(EVERY_MS);
    }
  }

  /** Scrapes on one connection, as long as it holds: each request confirms the response before it. */
  async #scrapeOn(): Promise<void> {
    const client = await RawClient.connect(this.#server.port, { host: this.#server.address });
    try {
      while (this.#running) {
        client.get(`/metrics?scraper=${ID}`);
        const timer = setTimeout(() => client.reset(), ANSWER_MS_MAX);
        const { body } = await client.response().finally(() => clearTimeout(timer));
        for (const [, series, n, time] of body.matchAll(LINE))
          this.#note(Number(n), series ?? '', Number(time));
        await sleep(EVERY_MS);
      }
    } finally {
      client.socket.destroy();
    }
  }

  #note(n: number, series: string, time: number): void {
    const before = this.seen.get(n);
    if (before === undefined) this.seen.set(n, { series, time });
    else if (before.time !== time) this.contradictions.push(`event ${n}: ${before.time}, then ${time}`);
  }
}
