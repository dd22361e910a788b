import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const KILLS = 50;
const POSTERS = 4;
/** Events that each round takes before it ends, however slow the machine is. */
const ROUND_EVENTS_MIN = 20;
const SCRAPERS = ['a', 'b'];

/**
 * The moment between the last byte's way into the kernel and the record of it, in ms, generously: a kill in it leaves no evidence,
 * and the events come again. docs/spec/delivery.md names the case; what it measures is some 50 µs on an idle machine.
 */
const UNRECORDED_MS = 15;

/** What the clients remember: what was accepted, and which completed scrapes brought each event to each scraper. */
interface Memory {
  next: number;
  readonly accepted: Set<number>;
  /** By scraper and event: when the scrapes that brought it were complete. */
  readonly got: Map<string, Map<number, number[]>>;
}

/** Posts one event after the other, and remembers each that was answered with 200. Ends when the server does. */
async function postUntilDown(port: number, memory: Memory): Promise<void> {
  try {
    const client = await RawClient.connect(port);
    for (;;) {
      const n = (memory.next += 1);
      client.send(request('POST', `/event?n=${n}`, { 'Content-Length': '0' }));
      if ((await client.response()).status === 200) memory.accepted.add(n);
    }
  } catch {
    // The server was killed.
  }
}

/** Scrapes on one socket, and remembers what completed scrapes brought. Ends when the server does, or after `rounds`. */
async function scrapeUntilDown(
  port: number,
  id: string,
  memory: Memory,
  pauseMs: number,
  rounds = Infinity,
): Promise<void> {
  const got = memory.got.get(id) as Map<number, number[]>;
  try {
    const client = await RawClient.connect(port);
    for (let round = 0; round < rounds; round += 1) {
      client.get(`/metrics?scraper=${id}`, { 'X-Prometheus-Scrape-Timeout-Seconds': '10' });
      const { status, body } = await client.response();
      expect(status).toBe(200);
      const completed = performance.now();
      for (const [, n] of body.matchAll(/^events_to_metrics\{n="(\d+)"\} 1$/gm)) {
        got.set(Number(n), [...(got.get(Number(n)) ?? []), completed]);
      }
      await sleep(pauseMs);
    }
  } catch (error) {
    if (rounds !== Infinity) throw error;
  }
}

/** A different number at each call, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

it.each([
  ['SIGKILL', KILLS],
  ['SIGTERM', 10],
] as const)(
  'G1, G3, G4: under %s at random moments (%i times), nothing accepted is missing and nothing comes twice',
  async (signal, times) => {
    using folder = temporaryFolder();
    const memory: Memory = {
      next: 0,
      accepted: new Set(),
      got: new Map(SCRAPERS.map((id) => [id, new Map()])),
    };
    const kills: number[] = [];
    const random = seeded(42);
    const flags = [`--store.path=${folder.path}/data`, `--scrapers.known=${SCRAPERS.join(',')}`];
    for (let round = 0; round < times; round += 1) {
      const server = await ServerProcess.start(flags);
      const clients = [
        ...Array.from({ length: POSTERS }, () => postUntilDown(server.port, memory)),
        ...SCRAPERS.map((id, i) => scrapeUntilDown(server.port, id, memory, 5 + i * 20)),
      ];
      const enough = memory.accepted.size + ROUND_EVENTS_MIN;
      await sleep(20 + random() * 200);
      await expect.poll(() => memory.accepted.size, { interval: 5 }).toBeGreaterThan(enough);
      kills.push(performance.now());
      const code = await server.end(signal);
      expect(code, server.output()).toBe(signal === 'SIGTERM' ? 0 : 'SIGKILL');
      await Promise.all(clients);
    }
    const server = await ServerProcess.start(flags);
    for (const id of SCRAPERS) await scrapeUntilDown(server.port, id, memory, 0, 20);
    await server.end('SIGTERM');

    expect(memory.accepted.size).toBeGreaterThan(times * ROUND_EVENTS_MIN);
    const unrecorded = (completed: number) =>
      signal === 'SIGKILL' &&
      kills.some((kill) => kill - completed < UNRECORDED_MS && completed - kill < UNRECORDED_MS);
    const unrecordedScrapes = new Set<number>();
    for (const [id, got] of memory.got) {
      const missing = [...memory.accepted].filter((n) => !got.has(n));
      const again = [...got].filter(([, scrapes]) => scrapes.length > 1);
      const twice = again.filter(([, scrapes]) => scrapes.length > 2 || !unrecorded(scrapes[0] as number));
      expect({ id, missing, twice }).toEqual({ id, missing: [], twice: [] });
      for (const [, scrapes] of again) unrecordedScrapes.add(scrapes[0] as number);
    }
    console.log(
      `${times} times ${signal}: ${memory.accepted.size} events, ${unrecordedScrapes.size} scrapes killed unrecorded`,
    );
    // One or two in fifty where the machine is idle, up to seven where others use it; without the record it would be nearly all.
    expect(unrecordedScrapes.size).toBeLessThanOrEqual(times / 5);
  },
);
