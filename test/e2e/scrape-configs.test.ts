import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { cuttingProxy } from '../support/cuttingProxy.ts';
import { blockText } from '../support/pageBlocks.ts';
import type { PrometheusVersion } from '../support/prometheus.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import {
  flagsOf,
  MINUTE_MS,
  neverDown,
  PAGE,
  postEvent,
  scrapeConfigsOf,
  scrapeTimes,
  SOON,
  stored,
  valueOf,
} from '../support/prometheusPage.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

/*
 * The configurations of docs/operate/prometheus.md as they stand there, with another address and an interval of one second; and
 * what that page says is seen. Those for VictoriaMetrics are in victoria-metrics.test.ts,
 * that of the Operator in operator.test.ts.
 */

const binaries: Readonly<Record<PrometheusVersion, string | undefined>> = {
  '3.5': requirePrometheus('3.5'),
  '2.53': requirePrometheus('2.53'),
  '2.42': requirePrometheus('2.42'),
};

/** How many samples an instant query finds of a series at each of some times. */
const visible = (prometheus: Prometheus, n: string, times: readonly number[]): Promise<number[]> =>
  Promise.all(times.map(async (at) => (await prometheus.query(`events_to_metrics{n="${n}"}`, at)).length));

test('the page has these configurations and no others', ({ expect }) => {
  const names = [...PAGE.values()].filter(({ language }) => language === 'yaml').map(({ name }) => name);
  expect(names).toEqual([
    'exact-time',
    'exact-time-2.42',
    'timed-text',
    'timed-text-tracked',
    'out-of-order',
    'untimed',
    'victoriametrics',
    'ha-a',
    'ha-b',
    'servicemonitor',
    'servicemonitor-scrape-config',
    'alerts',
  ]);
});

describe.concurrent('exact time and pulse', () => {
  test.for<readonly [PrometheusVersion, string, readonly string[]]>([
    ['3.5', 'exact-time', []],
    ['2.53', 'exact-time', []],
    ['2.42', 'exact-time-2.42', flagsOf('prometheus-2.42-flags')],
  ])(
    'G8: Prometheus %s stores each event at its own time, and ends it a minute later',
    async ([version, block, flags], { skip, expect }) => {
      const binary = binaries[version];
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      await using server = await startServer();
      await using prometheus = new Prometheus({
        binary,
        flags,
        scrapeConfigs: scrapeConfigsOf(block, server),
      });
      await prometheus.start();
      const at = Date.now() - 3 * MINUTE_MS;
      await postEvent(server, `n=once&job=ci&value=7&__timestamp__=${at}`);
      await postEvent(server, `n=twice&value=1&__timestamp__=${at}`);
      await postEvent(server, `n=twice&value=2&__timestamp__=${at + 1_000}`);
      await expect
        .poll(async () => (await stored(prometheus, 'twice')).endsAt, SOON)
        .toEqual([at + 1_000 + MINUTE_MS]);
      expect(await stored(prometheus, 'once')).toEqual({
        samples: [[at, 7]],
        endsAt: [at + MINUTE_MS],
        job: 'ci',
      });
      expect((await stored(prometheus, 'twice')).samples).toEqual([
        [at, 1],
        [at + 1_000, 2],
      ]);
      expect(await visible(prometheus, 'once', [at - 1, at, at + MINUTE_MS - 1, at + MINUTE_MS])).toEqual([
        0, 1, 1, 0,
      ]);
      expect(await neverDown(prometheus)).toBe(1);
    },
  );
});

describe.concurrent('timed text', () => {
  test.for<PrometheusVersion>(['3.5', '2.53', '2.42'])(
    'G8: Prometheus %s stores each event at its own time, and finds it for five minutes',
    async (version, { skip, expect }) => {
      const binary = binaries[version];
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      await using server = await startServer();
      await using prometheus = new Prometheus({
        binary,
        scrapeConfigs: scrapeConfigsOf('timed-text', server),
      });
      await prometheus.start();
      const at = Date.now() - 10 * MINUTE_MS;
      await postEvent(server, `n=a&value=1&__timestamp__=${at}`);
      await postEvent(server, `n=a&value=2&__timestamp__=${at + MINUTE_MS}`);
      await expect.poll(async () => (await stored(prometheus, 'a')).samples.length, SOON).toBe(2);
      await sleep(2_000);
      const last = at + MINUTE_MS;
      const samples = [
        [at, 1],
        [last, 2],
      ];
      expect(await stored(prometheus, 'a')).toEqual({ samples, endsAt: [], job: 'events' });
      // Prometheus 3 leaves the beginning of the lookback out.
      const gone = last + 5 * MINUTE_MS + (version === '3.5' ? 0 : 1);
      expect(await visible(prometheus, 'a', [at - 1, at, gone - 1, gone])).toEqual([0, 1, 1, 0]);
      expect(await valueOf(prometheus, 'count_over_time(events_to_metrics[1h])')).toBe(2);
      // The first one stands exactly where this range begins, which Prometheus 3 leaves out, too.
      expect(await valueOf(prometheus, 'count_over_time(events_to_metrics[1m])', last)).toBe(
        version === '3.5' ? 1 : 2,
      );
      expect(await neverDown(prometheus)).toBe(1);
    },
  );

  test.for<PrometheusVersion>(['3.5', '2.53'])(
    'Prometheus %s that tracks staleness ends an event at the next scrape, and loses what is older than that end unless it takes it out of order',
    async (version, { skip, expect }) => {
      const binary = binaries[version];
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      await using server = await startServer();
      await using other = await startServer();
      const settings = parse(blockText(PAGE, 'out-of-order')) as Record<string, unknown>;
      await using losing = new Prometheus({
        binary,
        scrapeConfigs: scrapeConfigsOf('timed-text-tracked', server),
      });
      await using taking = new Prometheus({
        binary,
        settings,
        scrapeConfigs: scrapeConfigsOf('timed-text-tracked', other),
      });
      const lost = async (prometheus: Prometheus, its: RunningServer) => {
        await prometheus.start();
        await expect.poll(() => neverDown(prometheus), SOON).toBe(1);
        await postEvent(its, 'n=a');
        await expect.poll(async () => (await stored(prometheus, 'a')).endsAt.length, SOON).toBe(1);
        const { samples, endsAt } = await stored(prometheus, 'a');
        const [at = 0, end = 0] = [samples[0]?.[0], endsAt[0]];
        expect(await scrapeTimes(prometheus)).toContain(end);
        expect(await visible(prometheus, 'a', [at, end - 1, end])).toEqual([1, 1, 0]);
        await postEvent(its, `n=a&__timestamp__=${end - 1}`);
        await postEvent(its, 'n=later');
        await expect.poll(async () => (await stored(prometheus, 'later')).samples.length, SOON).toBe(1);
        return (await stored(prometheus, 'a')).samples.map(([time]) => time === end - 1);
      };
      expect(await Promise.all([lost(losing, server), lost(taking, other)])).toEqual([
        [false],
        [false, true],
      ]);
      expect(await neverDown(taking)).toBe(1);
    },
  );

  test('one that tracks staleness loses an event of a scrape that fails, where the scrape before had its series', async ({
    skip,
    expect,
  }) => {
    const binary = binaries['3.5'];
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using server = await startServer();
    await using proxy = await cuttingProxy(server.port);
    // Time enough for an event between two scrapes.
    const settings = { global: { scrape_interval: '3s' } };
    const scrapeConfigs = scrapeConfigsOf('timed-text-tracked', proxy);
    await using prometheus = new Prometheus({ binary, settings, scrapeConfigs });
    await postEvent(server, 'n=a&value=1');
    await prometheus.start();
    await expect
      .poll(async () => (await stored(prometheus, 'a')).samples.length, { ...SOON, interval: 50 })
      .toBe(1);
    proxy.cutting = true;
    await postEvent(server, 'n=a&value=2');
    await expect.poll(() => neverDown(prometheus), SOON).toBe(0);
    proxy.cutting = false;
    await postEvent(server, 'n=later');
    await expect.poll(async () => (await stored(prometheus, 'later')).samples.length, SOON).toBe(1);
    const { samples, endsAt } = await stored(prometheus, 'a');
    expect(samples.map(([, value]) => value)).toEqual([1]);
    expect(endsAt).toEqual([(await scrapeTimes(prometheus))[1]]);
  });

  test('an out-of-order window that is shorter than an event may be old fails the whole scrape, which counts as delivered; a longer one stores it', async ({
    skip,
    expect,
  }) => {
    const binary = binaries['3.5'];
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const store = async (settings: Record<string, unknown>) => {
      await using server = await startServer();
      const scrapeConfigs = scrapeConfigsOf('timed-text-tracked', server);
      await using prometheus = new Prometheus({ binary, settings, scrapeConfigs });
      await prometheus.start();
      const at = Date.now() - 49 * MINUTE_MS;
      await postEvent(server, `n=old&__timestamp__=${at}`);
      await expect.poll(async () => (await stored(prometheus, 'old')).endsAt.length, SOON).toBe(1);
      await postEvent(server, `n=old&__timestamp__=${at + 1_000}`);
      await postEvent(server, 'n=new');
      const before = (await scrapeTimes(prometheus)).length;
      await expect.poll(async () => (await scrapeTimes(prometheus)).length, SOON).toBeGreaterThan(before + 2);
      const count = async (n: string) => (await stored(prometheus, n)).samples.length;
      return [await neverDown(prometheus), await count('old'), await count('new')];
    };
    const wide = parse(blockText(PAGE, 'out-of-order')) as Record<string, unknown>;
    const narrow = { storage: { tsdb: { out_of_order_time_window: '30m' } } };
    expect(await Promise.all([store(wide), store(narrow)])).toEqual([
      [1, 2, 1],
      [0, 1, 0],
    ]);
  });
});

describe.concurrent('untimed', () => {
  test.for<PrometheusVersion>(['3.5', '2.53', '2.42'])(
    'Prometheus %s stores the last event of a series at the time of the scrape, and ends it at the next one',
    async (version, { skip, expect }) => {
      const binary = binaries[version];
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      await using server = await startServer();
      await using prometheus = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('untimed', server) });
      // Before the first scrape, which then has both.
      await postEvent(server, 'n=a&type=deploy&value=1');
      await postEvent(server, 'n=a&type=deploy&value=2');
      await prometheus.start();
      await expect.poll(async () => (await stored(prometheus, 'a')).endsAt.length, SOON).toBe(1);
      const [first = 0, second = 0] = await scrapeTimes(prometheus);
      expect(await stored(prometheus, 'a')).toEqual({
        samples: [[first, 2]],
        endsAt: [second],
        job: 'events',
      });
      expect(await visible(prometheus, 'a', [first, second - 1, second])).toEqual([1, 1, 0]);
      expect(await valueOf(prometheus, 'events_to_metrics_events_total{type="deploy"}')).toBe(2);
      expect(await neverDown(prometheus)).toBe(1);
    },
  );
});

describe.concurrent('a pair', () => {
  test('G2: two replicas with ids of their own store the very same samples', async ({ skip, expect }) => {
    const binary = binaries['3.5'];
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using server = await startServer();
    await using a = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('ha-a', server) });
    await using b = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('ha-b', server) });
    await Promise.all([a.start(), b.start()]);
    const at = Date.now() - 3 * MINUTE_MS;
    const samples: number[][] = [];
    for (let i = 0; i < 20; i += 1) {
      await postEvent(server, `n=a&value=${i}&__timestamp__=${at + i * 100}`);
      samples.push([at + i * 100, i]);
    }
    const end = at + 1_900 + MINUTE_MS;
    for (const replica of [a, b]) {
      await expect.poll(async () => (await stored(replica, 'a')).endsAt, SOON).toEqual([end]);
      expect((await stored(replica, 'a')).samples).toEqual(samples);
      expect(await neverDown(replica)).toBe(1);
    }
  });

  test('two with one id are warned of', async ({ skip, expect }) => {
    const binary = binaries['3.5'];
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using server = await startServer();
    await using a = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('ha-a', server) });
    await using b = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('ha-a', server) });
    await Promise.all([a.start(), b.start()]);
    const warnings = async () => {
      const answer = await fetch(`${server.url}/api/v1/scrapers`);
      const { scrapers } = (await answer.json()) as {
        scrapers: { id: string; warnings: { code: string }[] }[];
      };
      return scrapers.flatMap(({ id, warnings: its }) => its.map(({ code }) => [id, code]));
    };
    await expect.poll(warnings, SOON).toEqual([['prometheus-a', 'shared_id']]);
  });
});
