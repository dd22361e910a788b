import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import type { PrometheusVersion } from '../support/prometheus.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';
import { storedSeries } from '../support/tsdb.ts';

const FIRST_SCRAPE = { timeout: 30_000, interval: 100 };
const WIDTH_MS = 3_000;
const PROTOBUF = {
  '3.5': { scrape_protocols: ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'] },
  '2.53': { scrape_protocols: ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'] },
  '2.42': {},
} as const;

describe.concurrent.each<PrometheusVersion>(['3.5', '2.53', '2.42'])(
  'timed scrapes in protobuf by Prometheus %s',
  (version) => {
    const binary = requirePrometheus(version);

    test('G8: each event is stored at its own time, and its pulse ends exactly then', async ({
      skip,
      expect,
    }) => {
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      using folder = temporaryFolder();
      const server = await ServerProcess.start([
        `--store.path=${folder.path}/data`,
        `--pulse.width=${WIDTH_MS}ms`,
      ]);
      const params = { scraper: ['p'], timestamps: ['explicit'] };
      await using prometheus = new Prometheus({
        binary,
        flags: version === '2.42' ? ['--enable-feature=native-histograms'] : [],
        scrapeConfigs: [
          { job_name: 'events', targets: [`127.0.0.1:${server.port}`], params, ...PROTOBUF[version] },
        ],
      });
      await prometheus.start();
      await expect
        .poll(async () => (await prometheus.query('up{job="events"}'))[0]?.samples[0]?.value, FIRST_SCRAPE)
        .toBe(1);

      const began = Date.now();
      const post = (query: string) => fetch(`${server.url}/event?${query}`, { method: 'POST' });
      await post('n=once&value=7');
      await post('n=twice&value=1');
      await post('n=twice&value=2');
      const sent = began - 60_000;
      await post(`n=sent&__timestamp__=${sent}`);
      await sleep(1_000);
      await post('n=longer&value=1');
      await sleep(1_500);
      await post('n=longer&value=2');

      const series = async (n: string) => {
        const all = await storedSeries(
          prometheus.url,
          'events_to_metrics',
          began - 120_000,
          Date.now() + 60_000,
        );
        const found = all.find(({ labels }) => labels['n'] === n);
        if (found === undefined) return undefined;
        const { samples, endsAt } = found;
        return { values: samples.map(({ value }) => value), at: samples.map(({ at }) => at), endsAt };
      };
      await expect
        .poll(async () => (await series('longer'))?.endsAt.length, { timeout: 20_000, interval: 200 })
        .toBe(1);
      const once = await series('once');
      expect(once).toEqual({
        values: [7],
        at: [expect.any(Number)],
        endsAt: [(once?.at[0] ?? 0) + WIDTH_MS],
      });
      const twice = await series('twice');
      expect(twice?.values).toEqual([1, 2]);
      expect(twice?.endsAt).toEqual([(twice?.at[1] ?? 0) + WIDTH_MS]);
      const longer = await series('longer');
      expect(longer?.values).toEqual([1, 2]);
      expect(longer?.endsAt).toEqual([(longer?.at[1] ?? 0) + WIDTH_MS]);
      expect(await series('sent')).toEqual({ values: [1], at: [sent], endsAt: [sent + WIDTH_MS] });

      // What a person sees: there up to the last millisecond, gone at the end.
      const at = once?.at[0] ?? 0;
      const visible = async (time: number) =>
        (await prometheus.query('events_to_metrics{n="once"}', time)).length;
      expect([
        await visible(at - 1),
        await visible(at),
        await visible(at + WIDTH_MS - 1),
        await visible(at + WIDTH_MS),
      ]).toEqual([0, 1, 1, 0]);
      const [own] = await prometheus.query('events_to_metrics_event_count');
      expect(own?.samples[0]?.value).toBe(6);
      expect(await server.end('SIGTERM')).toBe(0);
    });
  },
);
