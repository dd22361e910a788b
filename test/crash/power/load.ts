import { setTimeout as sleep } from 'node:timers/promises';
import { idIn } from '../../../src/intake/id.ts';
import { request } from '../../support/rawHttp.ts';
import type { Answer, Shown } from './client.ts';
import { Client, shownAsProtobuf, shownAsText } from './client.ts';

/** Events that were posted together. */
export interface Post {
  readonly names: readonly string[];
  /** As they are remembered; where there is none, they are posted once only. */
  readonly ids: readonly string[];
  readonly text: string;
  readonly sentAt: number;
  /** By a 200. */
  answer: Answer | undefined;
}

/** A scrape whose response was read to its end. */
export interface Scrape {
  readonly scraper: string;
  readonly shown: readonly Shown[];
  readonly answer: Answer;
  readonly readAt: number;
}

/** Known from the start on: one that is shown events without times, and one that is shown their times and the ends of their pulses. */
export const KNOWN = ['untimed', 'timed'];

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const BATCH_MAX = 12;
/** Between two requests of a client, in ms. */
const PAUSE_MS = 8;
/** How long a life goes on before a new scraper comes, in ms. */
const NEWCOMER_MS = 400;

/** What clients send to a server that ends and starts again, and what they remember of its answers. */
export class Load {
  readonly posts: Post[] = [];
  readonly scrapes: Scrape[] = [];
  readonly #random: () => number;
  #next = 0;
  #life = -1;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Goes on until the server ends. */
  async run(port: number, life: number): Promise<void> {
    this.#life = life;
    await Promise.all([
      this.#postAll(port, () => this.#single(false)),
      this.#postAll(port, () => this.#single(true)),
      this.#postAll(port, () => (this.#random() < 0.5 ? this.#batch() : this.#lines())),
      this.#scrapeAll(port, 'untimed', false, 8),
      this.#scrapeAll(port, 'timed', true, 20),
      sleep(NEWCOMER_MS).then(() => this.#scrapeAll(port, `newcomer-${life}`, true, 30)),
    ]);
  }

  async #postAll(port: number, make: () => Post): Promise<void> {
    await untilTheEnd(async () => {
      const client = await Client.connect(port, this.#life);
      for (;;) {
        const post = make();
        this.posts.push(post);
        const { status, answer } = await client.ask(post.text);
        if (status !== 200) throw new Error(`a post was answered with ${status}`);
        post.answer = answer;
        await sleep(this.#random() * PAUSE_MS);
      }
    });
  }

  /** Sends those again that have ids and that nobody has answered. */
  async retry(port: number, life: number): Promise<void> {
    const client = await Client.connect(port, life);
    for (const post of this.posts)
      if (post.answer === undefined && post.ids.length > 0) {
        const { status, answer } = await client.ask(post.text);
        if (status !== 200) throw new Error(`a retry was answered with ${status}`);
        post.answer = answer;
      }
    client.end();
  }

  async #scrapeAll(port: number, scraper: string, isTimed: boolean, pauseMs: number): Promise<void> {
    const path = `/metrics?scraper=${scraper}&timestamps=${isTimed ? 'explicit' : 'scrape'}`;
    const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': '10', ...(isTimed && { Accept: PROTOBUF }) };
    const text = request('GET', path, headers);
    await untilTheEnd(async () => {
      const connection = await Client.connect(port, this.#life);
      for (;;) {
        const { status, raw, answer } = await connection.ask(text);
        // A server that is being stopped.
        if (status === 503) return;
        if (status !== 200) throw new Error(`a scrape was answered with ${status}: ${String(raw)}`);
        const shown = isTimed ? shownAsProtobuf(raw) : shownAsText(raw.toString());
        this.scrapes.push({ scraper, shown, answer, readAt: performance.now() });
        await sleep(this.#random() * 2 * pauseMs);
      }
    });
  }

  #single(hasId: boolean): Post {
    const [name] = this.#names(1) as [string];
    if (!hasId) return this.#post([name], [], request('POST', `/event?n=${name}`, { 'Content-Length': '0' }));
    const headers = { 'Content-Length': '0', 'Idempotency-Key': `key-${name}` };
    return this.#post([name], [`key-${name}`], request('POST', `/event?n=${name}`, headers));
  }

  /** Each event with an id of its own. */
  #batch(): Post {
    const names = this.#names(1 + Math.floor(this.#random() * BATCH_MAX));
    const body = JSON.stringify(names.map((n) => ({ labels: { n }, id: `id-${n}` })));
    const text = request('POST', '/event', { 'Content-Type': 'application/json' }, body);
    return this.#post(
      names,
      names.map((n) => `id-${n}`),
      text,
    );
  }

  /** One id for all of them. */
  #lines(): Post {
    const names = this.#names(1 + Math.floor(this.#random() * BATCH_MAX));
    const id = `lines-${names[0]}`;
    const body = names.map((n) => `${JSON.stringify({ labels: { n } })}\n`).join('');
    const headers = { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': id };
    return this.#post(names, [idIn('request', id)], request('POST', '/event', headers, body));
  }

  #names(count: number): string[] {
    const first = this.#next + 1;
    this.#next += count;
    return Array.from({ length: count }, (_, index) => String(first + index));
  }

  #post(names: readonly string[], ids: readonly string[], text: string): Post {
    return { names, ids, text, sentAt: performance.now(), answer: undefined };
  }
}

/** Passes over the end of the connection, which is the server's. */
async function untilTheEnd(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    if (!message.startsWith('the connection ended') && code !== 'ECONNREFUSED') throw error;
  }
}
