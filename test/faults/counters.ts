import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultyServer } from './faultyServer.ts';
import type { Lateness } from './lateness.ts';

const EVERY_MS = 150;
const ANSWER_MS_MAX = 2_000;

/** What the server counted, added up over all its starts. */
export interface Counted {
  readonly unproven: number;
  readonly doubtful: number;
  readonly returned: number;
  readonly repeated: number;
  readonly dropped: number;
}

/** Reads the server's own counters by `peek`, which consumes nothing, so often that a kill hides little. */
export class Counters implements AsyncDisposable {
  readonly #server: FaultyServer;
  readonly #scraper: string;
  readonly #peeker: string;
  readonly #lateness: Lateness;
  readonly #byStart = new Map<number, Counted>();
  /** Of each start, how many events were out when it was read last. */
  readonly #outByStart = new Map<number, number>();
  #running = true;
  #done: Promise<void> = Promise.resolve();

  /** `peeker`: under which id it looks, where the scraper's own is none that one can scrape with. */
  constructor(server: FaultyServer, scraper: string, lateness: Lateness, peeker = scraper) {
    this.#peeker = peeker;
    this.#server = server;
    this.#scraper = scraper;
    this.#lateness = lateness;
  }

  start(): void {
    this.#server.watch = () => this.read();
    this.#done = this.#watch();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get total(): Counted {
    const total = { unproven: 0, doubtful: 0, returned: 0, repeated: 0, dropped: 0 };
    for (const counted of this.#byStart.values())
      for (const [name, count] of Object.entries(counted)) total[name as keyof Counted] += count as number;
    return total;
  }

  /**
   * How many events a kill may have hidden: what was out when a start was read last may have been settled, and counted, before it ended.
   * Of the start with most of them; that several kills fall into those milliseconds was never seen.
   */
  get hidden(): number {
    const ended = [...this.#outByStart].filter(([start]) => start !== this.#server.starts);
    return Math.max(0, ...ended.map(([, out]) => out));
  }

  /** Reads them now. Resolves to how many events the scraper has yet to collect; undefined when the server does not answer. */
  async read(): Promise<number | undefined> {
    const start = this.#server.starts;
    const began = performance.now();
    try {
      const response = await fetch(`${this.#server.url}/metrics?peek=true&scraper=${this.#peeker}`, {
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const text = await response.text();
      if (!response.ok || start !== this.#server.starts) return undefined;
      this.#lateness.note(performance.now() - began);
      const outcome = (name: string) => sum(text, `deliveries_total{outcome="${name}"}`);
      this.#byStart.set(start, {
        unproven: outcome('unproven'),
        doubtful: outcome('doubtful'),
        returned: outcome('returned'),
        repeated: outcome('repeated'),
        dropped: sum(text, 'dropped_total'),
      });
      this.#outByStart.set(start, sum(text, `scraper_in_flight{scraper="${this.#scraper}"}`));
      return sum(text, `scraper_counts{scraper="${this.#scraper}"}`);
    } catch {
      return undefined;
    }
  }

  async #watch(): Promise<void> {
    while (this.#running) {
      await this.read();
      await sleep(EVERY_MS);
    }
  }
}

/** Adds up the samples of the server's own whose line begins like that. */
function sum(text: string, beginning: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`events_to_metrics_${beginning}`))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
