import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { freePort } from '../support/freePort.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess } from '../support/server.ts';

const isMissing = requirePostgres() === undefined;
const postgres = isMissing ? (undefined as unknown as Postgres) : await Postgres.start();
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

const LEASE_MS = 2_000;
const SERVERS = 3;
const SCRAPERS = ['a', 'b'];
const CLIENTS = 6;
const SCRAPE_EVERY_MS = 100;

/** Servers on one schema, each of which keeps its port. */
class Cluster {
  readonly servers: ServerProcess[] = [];
  /** Those that are paused or being replaced; what fails there is no fault. */
  readonly down = new Set<number>();

  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    for (let index = 0; index < SERVERS; index += 1)
      cluster.servers.push(await cluster.run(await freePort()));
    return cluster;
  }

  run(port: number): Promise<ServerProcess> {
    const flags = [
      '--store.kind=postgres',
      `--store.url=${postgres.url}`,
      '--store.schema=load',
      `--replicas.lease=${LEASE_MS}ms`,
      `--scrapers.known=${SCRAPERS.join(',')}`,
    ];
    return ServerProcess.start(flags, { port });
  }

  at(index: number): ServerProcess {
    return this.servers[index] as ServerProcess;
  }

  /** The one that leads; undefined while none does. */
  async leader(): Promise<number | undefined> {
    const answers = await Promise.all(
      this.servers.map(async ({ url }, index) => {
        if (this.down.has(index)) return false;
        return fetch(`${url}/-/leader`).then(
          ({ status }) => status === 200,
          () => false,
        );
      }),
    );
    expect(answers.filter(Boolean).length).toBeLessThanOrEqual(1);
    const found = answers.indexOf(true);
    return found === -1 ? undefined : found;
  }

  /** Waits for a leader; how long that took, in ms. */
  async untilLed(): Promise<{ readonly leader: number; readonly ms: number }> {
    const began = performance.now();
    for (;;) {
      const leader = await this.leader();
      if (leader !== undefined) return { leader, ms: Math.round(performance.now() - began) };
      await sleep(20);
    }
  }
}

/** What clients and scrapers remember. */
class Memory {
  next = 0;
  /** How often an event was answered with `accepted`. */
  readonly accepted = new Map<number, number>();
  /** Events that are stored, by any answer. */
  readonly stored = new Set<number>();
  /** Answers that were no 200. */
  readonly refused: string[] = [];
  /** Sockets that ended without an answer, of servers that were not down. */
  cut = 0;
  broken = 0;
  repeated = 0;
  /** The times of the samples of each event. */
  readonly got = new Map(SCRAPERS.map((id) => [id, new Map<string, Set<string>>()]));

  async post(cluster: Cluster, index: number, n: number): Promise<boolean> {
    const wasDown = cluster.down.has(index);
    try {
      const answer = await fetch(`${cluster.at(index).url}/event?n=${n}&__id__=id${n}`, {
        method: 'POST',
        signal: AbortSignal.timeout(10_000),
      });
      const text = await answer.text();
      if (answer.status !== 200) {
        this.refused.push(text);
        return false;
      }
      this.stored.add(n);
      if ((JSON.parse(text) as { accepted?: number }).accepted === 1)
        this.accepted.set(n, (this.accepted.get(n) ?? 0) + 1);
      return true;
    } catch {
      if (wasDown || cluster.down.has(index)) this.broken += 1;
      else this.cut += 1;
      return false;
    }
  }

  /** Posts events at any of the servers, again under their ids until one answers, and some of them twice. */
  async client(cluster: Cluster, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const n = (this.next += 1);
      const up = () => {
        const all = [0, 1, 2].filter((each) => !cluster.down.has(each));
        return all[Math.floor(Math.random() * all.length)] ?? 0;
      };
      const first = this.post(cluster, up(), n);
      if (n % 5 === 0) {
        this.repeated += 1;
        await Promise.all([first, this.post(cluster, up(), n)]);
      } else await first;
      while (!this.stored.has(n)) {
        await sleep(20);
        await this.post(cluster, up(), n);
      }
    }
  }

  /** Scrapes one server on a socket for as long as that lasts, as Prometheus does with each of its targets. */
  async scraper(cluster: Cluster, index: number, id: string, isOver: () => boolean): Promise<void> {
    const got = this.got.get(id) as Map<string, Set<string>>;
    while (!isOver()) {
      try {
        const client = await RawClient.connect(cluster.at(index).port);
        while (!isOver()) {
          client.get(`/metrics?scraper=${id}&timestamps=explicit`, {
            'X-Prometheus-Scrape-Timeout-Seconds': '10',
          });
          const { body } = await client.response();
          for (const [, n, time] of body.matchAll(/^events_to_metrics\{n="(\d+)"\} 1 (\d+)$/gm))
            got.set(n as string, (got.get(n as string) ?? new Set()).add(time as string));
          await sleep(SCRAPE_EVERY_MS);
        }
      } catch {
        await sleep(SCRAPE_EVERY_MS);
      }
    }
  }

  verdict() {
    const all = [...this.got.values()];
    const stored = Array.from(this.stored, String);
    return {
      lost: stored.filter((n) => all.some((got) => !got.has(n))).length,
      twice: all.flatMap((got) => [...got.values()]).filter((times) => times.size > 1).length,
      acceptedTwice: [...this.accepted.values()].filter((times) => times > 1).length,
      unknown: all.flatMap((got) => [...got.keys()]).filter((n) => !this.stored.has(Number(n))).length,
    };
  }
}

it(
  'G1, G2, G8: three servers whose leaders are killed, paused and stopped under load lose nothing, and give nothing twice',
  { timeout: 120_000 },
  async () => {
    const cluster = await Cluster.start();
    const memory = new Memory();
    let isOver = false;
    let isDrained = false;
    const clients = Array.from({ length: CLIENTS }, () => memory.client(cluster, () => isOver));
    const scrapers = SCRAPERS.flatMap((id) =>
      [0, 1, 2].map((index) => memory.scraper(cluster, index, id, () => isDrained)),
    );
    const gaps: string[] = [];
    for (const how of ['kill', 'pause', 'stop', 'kill', 'pause'] as const) {
      await sleep(1_500);
      const { leader } = await cluster.untilLed();
      const { port, child } = cluster.at(leader);
      cluster.down.add(leader);
      if (how === 'pause') {
        child.kill('SIGSTOP');
        const { ms } = await cluster.untilLed();
        gaps.push(`${how} ${ms} ms`);
        await sleep(500);
        child.kill('SIGCONT');
        await sleep(500);
      } else {
        const ended = cluster.at(leader).end(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
        const { ms } = await cluster.untilLed();
        gaps.push(`${how} ${ms} ms`);
        await ended;
        cluster.servers[leader] = await cluster.run(port);
      }
      cluster.down.delete(leader);
    }
    await sleep(1_000);
    isOver = true;
    await Promise.all(clients);
    await expect.poll(() => memory.verdict().lost, { interval: 200, timeout: 15_000 }).toBe(0);
    isDrained = true;
    await Promise.all(scrapers);
    const { refused, cut, broken, repeated } = memory;
    console.log(
      `${memory.stored.size} stored, ${repeated} repeated at once, ${broken} sockets of servers that went, ${cut} others, ${refused.length} refused; until the next leader: ${gaps.join(', ')}`,
      [...new Set(refused)].slice(0, 5),
    );
    expect(memory.verdict()).toEqual({ lost: 0, twice: 0, acceptedTwice: 0, unknown: 0 });
    expect(memory.stored.size).toBeGreaterThan(500);
    expect(cut).toBe(0);
    for (const server of cluster.servers) expect(await server.end('SIGTERM')).toBe(0);
  },
);
