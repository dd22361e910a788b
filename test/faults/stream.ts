import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';

const POSTERS = 3;
const POST_TIMEOUT_MS = 5_000;
/** This share of the events of shared series comes with another of the same series right behind it. */
const TWIN_SHARE = 0.2;
const WAIT_WHEN_DOWN_MS = 50;

/** What the clients remember: every number that was answered with 200, and when, in Unix ms. */
export type Accepted = Map<number, number>;

/**
 * A steady stream of events. Each has a number of its own: as the label `n` where every event is to be a series of its own, as the
 * value where several share a series. What was not answered with 200 is not sent again: nobody knows what became of it.
 */
export class EventStream implements AsyncDisposable {
  readonly accepted: Accepted = new Map();
  readonly #url: () => string;
  readonly #series: number | undefined;
  readonly #perSecond: number;
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: POSTERS + 2 });
  #next = 0;
  #running = false;
  #posters: Promise<void>[] = [];

  constructor(url: () => string, options: { series: number | undefined; perSecond: number; random: Random }) {
    this.#url = url;
    this.#series = options.series;
    this.#perSecond = options.perSecond;
    this.#random = options.random;
  }

  start(): void {
    this.#running = true;
    this.#posters = Array.from({ length: POSTERS }, () => this.#postOn());
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#posters);
    this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #postOn(): Promise<void> {
    const pauseMs = (1000 * POSTERS) / this.#perSecond;
    while (this.#running) {
      const due = performance.now() + pauseMs;
      const series =
        this.#series === undefined ? undefined : Math.floor(this.#random.between(0, this.#series));
      const twin = series !== undefined && this.#random.chance(TWIN_SHARE);
      const results = await Promise.all(
        twin ? [this.#post(series), this.#post(series)] : [this.#post(series)],
      );
      await sleep(results.includes(false) ? WAIT_WHEN_DOWN_MS : Math.max(0, due - performance.now()));
    }
  }

  /** Whether it was answered at all. */
  async #post(series: number | undefined): Promise<boolean> {
    this.#next += 1;
    const n = this.#next;
    const status = await this.#send(series === undefined ? `n=${n}` : `s=${series}&value=${n}`);
    if (status === 200) this.accepted.set(n, Date.now());
    return status !== undefined;
  }

  #send(query: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const options = { method: 'POST', agent: this.#agent, timeout: POST_TIMEOUT_MS };
      const post = request(`${this.#url()}/event?${query}`, options, (answer) => {
        answer.resume();
        answer.on('close', () => resolve(answer.complete ? answer.statusCode : undefined));
      });
      post.on('timeout', () => post.destroy());
      post.on('error', () => resolve(undefined));
      post.end();
    });
  }
}
