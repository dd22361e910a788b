import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { AnswerDropper } from '../support/answerDropper.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';
import { storedSeries } from '../support/tsdb.ts';
import {
  HOW_TO_GET_VICTORIA_METRICS,
  VictoriaMetrics,
  requireVictoriaMetrics,
} from '../support/victoriaMetrics.ts';

const WIDTH_MS = 2_000;
const DROPPED = 3;
const KILLS = 4;
const BATCH = 200;

/** What a receiver stored of the events of this test: for each number its times, and when its pulse ended. */
type Stored = ReadonlyMap<string, { readonly at: readonly number[]; readonly endsAt: readonly number[] }>;

interface Receiver extends AsyncDisposable {
  readonly writeUrl: string;
  stored(): Promise<Stored>;
}

const prometheus = async (
  version: '3.5' | '2.53',
  window: string | undefined,
): Promise<Receiver | undefined> => {
  const binary = requirePrometheus(version);
  if (binary === undefined) return undefined;
  const server = new Prometheus({
    binary,
    scrapeConfigs: [],
    flags: ['--web.enable-remote-write-receiver'],
    ...(window !== undefined && { settings: { storage: { tsdb: { out_of_order_time_window: window } } } }),
  });
  await server.start();
  return {
    writeUrl: `${server.url}/api/v1/write`,
    stored: async () => {
      const now = Date.now();
      const all = await storedSeries(server.url, 'events_to_metrics', now - 3_600_000, now + 60_000);
      return new Map(
        all.map(({ labels, samples, endsAt }) => [
          labels['n'] ?? '',
          { at: samples.map(({ at }) => at), endsAt },
        ]),
      );
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
};

const victoriaMetrics = async (): Promise<Receiver | undefined> => {
  const binary = requireVictoriaMetrics();
  if (binary === undefined) return undefined;
  const server = new VictoriaMetrics({
    binary,
    config: 'scrape_configs: []\n',
    flags: ['-dedup.minScrapeInterval=1ms'],
  });
  await server.start();
  return {
    writeUrl: `${server.url}/api/v1/write`,
    stored: async () => {
      const all = await server.exported('events_to_metrics', true);
      return new Map(
        all.map(({ metric, samples }) => [
          metric['n'] ?? '',
          {
            at: samples.filter(({ value }) => !Number.isNaN(value)).map(({ at }) => at),
            endsAt: samples.filter(({ value }) => Number.isNaN(value)).map(({ at }) => at),
          },
        ]),
      );
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
};

const metric = async (server: ServerProcess, pattern: RegExp): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
};
const PENDING = /^events_to_metrics_scraper_counts\{scraper="sink:db"\} (\d+)$/m;
const REFUSED = /^events_to_metrics_dropped_total\{reason="refused"\} (\d+)$/m;

describe.concurrent.each<[name: string, start: () => Promise<Receiver | undefined>]>([
  ['Prometheus 3.5', () => prometheus('3.5', '1h')],
  ['Prometheus 3.5 without an out-of-order window', () => prometheus('3.5', undefined)],
  ['Prometheus 2.53', () => prometheus('2.53', '1h')],
  ['Prometheus 2.53 without an out-of-order window', () => prometheus('2.53', undefined)],
  ['VictoriaMetrics with deduplication', victoriaMetrics],
])('a sink at %s', (_name, start) => {
  test('G2, G4, G8: loses nothing and stores nothing twice, through lost answers and kills', async ({
    skip,
    expect,
  }) => {
    await using receiver = await start();
    if (receiver === undefined) throw skip(`${HOW_TO_GET_PROMETHEUS}; ${HOW_TO_GET_VICTORIA_METRICS}`);
    await using dropper = await AnswerDropper.start(receiver.writeUrl, (request) => request % DROPPED === 0);
    using folder = temporaryFolder();
    const flags = [
      `--store.path=${folder.path}/data`,
      `--pulse.width=${WIDTH_MS}ms`,
      `--sinks=${JSON.stringify({ db: { url: dropper.url, eventsMax: 150 } })}`,
    ];
    let server = await ServerProcess.start(flags);
    const sent = new Map<string, number>();
    const post = async () => {
      const began = Date.now() - 1_000;
      const events = Array.from({ length: BATCH }, (_, i) => [`${sent.size + i}`, began + i] as const);
      const body = events.map(([n, at]) => `{"labels":{"n":"${n}"},"timestamp":${at}}\n`).join('');
      const headers = { 'Content-Type': 'application/x-ndjson' };
      const answer = await fetch(`${server.url}/event`, { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
      for (const [n, at] of events) sent.set(n, at);
    };
    for (let kill = 0; kill < KILLS; kill += 1) {
      await post();
      await sleep(50 + kill * 150);
      await server.end('SIGKILL');
      server = await ServerProcess.start(flags);
      await post();
      await sleep(300);
    }
    // The end of each pulse is an entry, too, and comes after it.
    await expect
      .poll(
        async () => [...(await receiver.stored()).values()].filter(({ endsAt }) => endsAt.length > 0).length,
        {
          timeout: 60_000,
          interval: 500,
        },
      )
      .toBe(sent.size);
    await expect.poll(() => metric(server, PENDING), { timeout: 60_000, interval: 200 }).toBe(0);
    const stored = await receiver.stored();
    const wrong = [...sent].filter(([n, at]) => {
      const found = stored.get(n);
      return found?.at.join() !== String(at) || found.endsAt.join() !== String(at + WIDTH_MS);
    });
    expect(wrong).toEqual([]);
    expect(stored.size).toBe(sent.size);
    expect(dropper.dropped).toBeGreaterThan(3);
    expect(await metric(server, REFUSED)).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

test.for(['3.5', '2.53'] as const)(
  "Prometheus %s has what is selected, and the server's own metrics, as an instant query sees them",
  async (version, { skip, expect }) => {
    const binary = requirePrometheus(version);
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using receiver = new Prometheus({
      binary,
      scrapeConfigs: [],
      flags: ['--web.enable-remote-write-receiver', '--enable-feature=created-timestamp-zero-ingestion'],
    });
    await receiver.start();
    const db = {
      url: `${receiver.url}/api/v1/write`,
      select: ['{type="deploy",service=~`api-\\d+`}'],
      labels: { cluster: 'eu' },
      ownMetrics: { interval: '1s', labels: { instance: 'a' } },
    };
    const server = await ServerProcess.start(['--store.kind=memory', `--sinks=${JSON.stringify({ db })}`]);
    const post = async (labels: string) =>
      (await fetch(`${server.url}/event?${labels}&wait=delivered&to=db`, { method: 'POST' })).status;
    expect([await post('type=deploy&service=api-1'), await post('type=deploy&service=web')]).toEqual([
      200, 202,
    ]);
    const found = await receiver.query('events_to_metrics');
    expect(found.map(({ metric: labels }) => labels)).toEqual([
      { __name__: 'events_to_metrics', type: 'deploy', service: 'api-1', cluster: 'eu' },
    ]);
    const own = { job: 'oneShotMetricsServer', instance: 'a', cluster: 'eu' };
    await expect
      .poll(() => receiver.query('events_to_metrics_event_count == 2'), { timeout: 15_000 })
      .toMatchObject([{ metric: own }]);
    const all = await receiver.query('{job="oneShotMetricsServer"}');
    expect(all.length).toBeGreaterThan(80);
    expect(all.every(({ metric: labels }) => labels['instance'] === 'a')).toBe(true);
    // By 2.0 it knows that a counter was 0 before it had it first.
    if (version === '3.5')
      expect(await receiver.query('min_over_time(events_to_metrics_event_count[5m])')).toMatchObject([
        { samples: [{ value: 0 }] },
      ]);
    expect(await server.end('SIGTERM')).toBe(0);
  },
);
