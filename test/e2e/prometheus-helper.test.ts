import { describe, test } from 'vitest';
import type { PrometheusVersion } from '../support/prometheus.ts';
import {
  findPromtool,
  HOW_TO_GET_PROMETHEUS,
  Prometheus,
  promtoolCheckMetrics,
  requirePrometheus,
} from '../support/prometheus.ts';

/** Target discovery is polled every 5 s. */
const FIRST_SCRAPE = { timeout: 30_000, interval: 200 };

const versions: readonly PrometheusVersion[] = ['3.5', '2.53', '2.42'];

describe.concurrent.each(versions)('the Prometheus %s of the tests', (version) => {
  const binary = requirePrometheus(version);

  test('scrapes, keeps what it scraped through a crash, and forgets it when stopped', async ({
    skip,
    expect,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using prometheus = new Prometheus({ binary, scrapeConfigs: [] });
    await prometheus.start();
    const target = new URL(prometheus.url).host;
    const params = { scraper: ['A'] };
    await prometheus.reload([{ job_name: 'itself', targets: [target], scrape_interval: '500ms', params }]);

    await expect.poll(() => prometheus.query('up{job="itself"}'), FIRST_SCRAPE).toHaveLength(1);
    const [up] = await prometheus.query('up{job="itself"}[1m]');
    expect(up?.metric).toEqual({ __name__: 'up', job: 'itself', instance: target });
    const first = up?.samples[0];
    expect(first?.value).toBe(1);
    expect(await prometheus.targets()).toMatchObject([
      { health: 'up', lastError: '', scrapeUrl: `http://${target}/metrics?scraper=A` },
    ]);

    await prometheus.kill();
    await expect(prometheus.query('up')).rejects.toThrow('fetch failed');
    await prometheus.restart();
    const at = first?.at ?? 0;
    const [kept] = await prometheus.query('up{job="itself"}', at);
    expect(kept?.samples).toEqual([{ at, value: 1 }]);
    const [ranged] = await prometheus.queryRange('up{job="itself"}', at, at + 400, 200);
    expect(ranged?.samples.map((sample) => sample.at)).toEqual([at, at + 200, at + 400]);
    expect(await prometheus.series('up', at, at + 1_000)).toEqual([up?.metric]);
  });

  test('answers a scalar, and says why it refuses a query or a configuration', async ({ skip, expect }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using prometheus = new Prometheus({
      binary,
      scrapeConfigs: '- job_name: nothing\n  static_configs: []',
      settings: { storage: { tsdb: { out_of_order_time_window: '30m' } } },
    });
    await prometheus.start();
    expect(await prometheus.query('-1/0', 1_700_000_000_123)).toEqual([
      { metric: {}, samples: [{ at: 1_700_000_000_123, value: -Infinity }] },
    ]);
    await expect(prometheus.query('up{')).rejects.toThrow('parse error');
    await expect(prometheus.reload('- no_such_setting: 1')).rejects.toThrow('no_such_setting');
  });

  test('shows its log when it does not start', async ({ skip, expect }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const prometheus = new Prometheus({ binary, scrapeConfigs: [], flags: ['--no-such-flag'] });
    await expect(prometheus.start()).rejects.toThrow('no-such-flag');
    await expect(prometheus.start()).rejects.toThrow('no-such-flag');
  });
});

test('promtool tells a good exposition from a bad one', async ({ skip, expect }) => {
  if (findPromtool() === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  const good = '# HELP deploys_total Deployments.\n# TYPE deploys_total counter\ndeploys_total 1\n';
  expect(await promtoolCheckMetrics(good)).toEqual({ code: 0, output: '' });
  expect(await promtoolCheckMetrics('deploys_total{ 1\n')).toMatchObject({ code: 1 });
});

test('a binary that cannot be run is said to', async ({ expect }) => {
  const prometheus = new Prometheus({ binary: '/no/such/prometheus', scrapeConfigs: [] });
  await expect(prometheus.start()).rejects.toThrow('/no/such/prometheus did not start');
});
