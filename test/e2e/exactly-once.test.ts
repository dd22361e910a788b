import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const EVENTS = 10_000;
const CLIENTS = 4;
/**
 * What can go wrong is an event that arrives while a scrape is made. How many do depends on how many there are, not on how long they
 * take to come.
 */
const SECONDS = 40;
/** Target discovery is polled every 5 s. */
const FIRST_SCRAPE = { timeout: 30_000, interval: 100 };

const newest = requirePrometheus('3.5');
const oldest = requirePrometheus('2.42');

function scraping(binary: string, id: string, port: number): Prometheus {
  return new Prometheus({
    binary,
    scrapeConfigs: [{ job_name: 'events', targets: [`127.0.0.1:${port}`], params: { scraper: [id] } }],
  });
}

/** Posts this client's share of the events, evenly spread over the time. Every answer must be a 200. */
async function postShare(url: string, client: number): Promise<void> {
  const share = EVENTS / CLIENTS;
  const started = performance.now();
  for (let i = 0; i < share; i += 1) {
    const answer = await fetch(
      `${url}/event?client=${client}&n=${i}&message=${encodeURIComponent('a "b"\\\n')}`,
      { method: 'POST' },
    );
    if (answer.status !== 200)
      throw new Error(`event ${client}/${i}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    await sleep(Math.max(0, started + ((i + 1) / share) * SECONDS * 1_000 - performance.now()));
  }
}

const value = async (prometheus: Prometheus, promql: string): Promise<number | undefined> =>
  (await prometheus.query(promql))[0]?.samples[0]?.value;

test.concurrent(
  'G2: ten thousand events of four clients are each once in the TSDB of two Prometheus servers, both always up',
  async ({ skip, expect }) => {
    if (newest === undefined || oldest === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    using folder = temporaryFolder();
    const server = await ServerProcess.start([`--store.path=${folder.path}/data`]);
    await using first = scraping(newest, 'first', server.port);
    await using second = scraping(oldest, 'second', server.port);
    await Promise.all([first.start(), second.start()]);
    for (const prometheus of [first, second]) {
      await expect.poll(() => value(prometheus, 'up{job="events"}'), FIRST_SCRAPE).toBe(1);
    }

    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => postShare(server.url, client)));

    const window = `${SECONDS + 120}s`;
    for (const prometheus of [first, second]) {
      await expect
        .poll(() => value(prometheus, `count(count_over_time(events_to_metrics[${window}]))`), {
          timeout: 30_000,
          interval: 500,
        })
        .toBe(EVENTS);
      expect(await value(prometheus, `sum(count_over_time(events_to_metrics[${window}]))`)).toBe(EVENTS);
      expect(await value(prometheus, `sum(sum_over_time(events_to_metrics[${window}]))`)).toBe(EVENTS);
      expect(await value(prometheus, `min_over_time(up{job="events"}[${window}])`)).toBe(1);
      expect(await value(prometheus, `count_over_time(up{job="events"}[${window}])`)).toBeGreaterThan(
        SECONDS - 10,
      );
    }
    // The last offers are proved by the scrapes after them.
    const own = async (outcome: string) =>
      value(first, `events_to_metrics_deliveries_total{outcome="${outcome}"}`);
    await expect.poll(() => own('confirmed'), FIRST_SCRAPE).toBe(EVENTS * 2);
    for (const outcome of ['unproven', 'returned', 'doubtful', 'repeated'])
      expect(await own(outcome)).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
  },
);

test.concurrent(
  'a Prometheus that is restarted, and a server that is killed in between, change nothing',
  async ({ skip, expect }) => {
    if (newest === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    using folder = temporaryFolder();
    const flags = [`--store.path=${folder.path}/data`];
    let server = await ServerProcess.start(flags);
    await using prometheus = scraping(newest, 'p', server.port);
    await prometheus.start();
    await expect.poll(() => value(prometheus, 'up{job="events"}'), FIRST_SCRAPE).toBe(1);

    let posted = 0;
    const post = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        const answer = await fetch(`${server.url}/event?n=${posted}`, { method: 'POST' });
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
        posted += 1;
      }
    };
    await post(50);
    await prometheus.halt();
    await post(50);
    await prometheus.restart();
    await expect
      .poll(() => value(prometheus, 'count(count_over_time(events_to_metrics[5m]))'), FIRST_SCRAPE)
      .toBe(100);
    await post(50);
    const { port } = server;
    await server.end('SIGKILL');
    server = await ServerProcess.start(flags, { port });
    await expect
      .poll(() => value(prometheus, 'count(count_over_time(events_to_metrics[5m]))'), FIRST_SCRAPE)
      .toBe(150);
    await sleep(3_000);
    expect(await value(prometheus, 'sum(count_over_time(events_to_metrics[5m]))')).toBe(150);
    expect(await server.end('SIGTERM')).toBe(0);
  },
);
