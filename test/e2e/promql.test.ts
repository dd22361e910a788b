import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blockText } from '../support/pageBlocks.ts';
import type { Series } from '../support/prometheus.ts';
import {
  findPromtool,
  HOW_TO_GET_PROMETHEUS,
  Prometheus,
  promtoolCheckRules,
  requirePrometheus,
} from '../support/prometheus.ts';
import {
  HOUR_MS,
  MINUTE_MS,
  PAGE,
  postEvent,
  scrapeConfigsOf,
  SOON,
  valueOf,
} from '../support/prometheusPage.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { serveStatic } from '../support/staticTarget.ts';
import { storedSeries } from '../support/tsdb.ts';
import { until } from '../support/until.ts';

/*
 * The queries and rules of docs/operate/prometheus.md, as they stand there, asked of a Prometheus that scraped a server by the page's
 * configuration `exact-time`. Events were sent with times of the last 40 minutes, so that all can be asked at exact times.
 */

const binary = requirePrometheus('3.5');
const DAY_MS = 24 * HOUR_MS;

/** A minute, some 40 minutes ago. */
const began = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 40 * MINUTE_MS;
const firstOfApi = began + 10_123;
const secondOfApi = began + 10 * MINUTE_MS + 20_456;
/** On the minute, where ranges begin and end. */
const ofWeb = began + 2 * MINUTE_MS;
const failed = began + 20 * MINUTE_MS + 7_000;
const backupOfDb1 = began + 5 * MINUTE_MS + 1_000;
const backupOfDb2 = began + 6 * MINUTE_MS + 2_000;

/** What stands for the metrics of services that fail. */
const FAILING = ['checkout', 'search']
  .map((service) => `service:errors:ratio5m{service="${service}"} 0.5\n`)
  .join('');

const query = (block: string, change: (promql: string) => string = (promql) => promql) =>
  change(blockText(PAGE, block)).trim();

const rules = (
  parse(blockText(PAGE, 'alerts')) as { groups: { rules: { alert: string; expr: string }[] }[] }
).groups.flatMap((group) => group.rules);

/** The expression of an alert. */
function alert(name: string): string {
  const found = rules.find((rule) => rule.alert === name);
  if (found === undefined) throw new Error(`the page has no alert ${name}`);
  return found.expr;
}

/** The samples of each series by one of its labels, as [time, value]. */
const by = (label: string, found: readonly Series[]) =>
  Object.fromEntries(
    found.map(({ metric, samples }) => [metric[label] ?? '', samples.map(({ at, value }) => [at, value])]),
  );

test('the page has these queries and no others', () => {
  const names = [...PAGE.values()].filter(({ language }) => language === 'promql').map(({ name }) => name);
  expect(names).toEqual([
    'graph',
    'graph-any-step',
    'count',
    'seconds-since',
    'annotation',
    'annotation-any-step',
    'increase',
    'increase-exact',
  ]);
  expect(rules.map((rule) => rule.alert)).toEqual([
    'DeployFailed',
    'BackupMissing',
    'BackupMissingOnHost',
    'HighErrorRate',
  ]);
});

test("promtool finds nothing wrong with the page's rules", async ({ skip }) => {
  if (findPromtool() === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  using folder = temporaryFolder();
  const file = join(folder.path, 'alerts.yml');
  writeFileSync(file, blockText(PAGE, 'alerts'));
  const { code, output } = await promtoolCheckRules(file);
  expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(code).toBe(0);
});

describe.skipIf(binary === undefined)(
  'asked at exact times (needs a Prometheus 3.5: scripts/tools.sh)',
  () => {
    const resources = new AsyncDisposableStack();
    let prometheus: Prometheus;
    let post: (query: string) => Promise<void>;
    /** When checkout was deployed: a quarter of an hour before a moment at which there are metrics of services. */
    let ofCheckout = 0;

    beforeAll(async () => {
      const server = resources.use(await startServer());
      const services = resources.use(
        await serveStatic(
          new Map([['/metrics', { contentType: 'text/plain; version=0.0.4', body: FAILING }]]),
        ),
      );
      const folder = resources.use(temporaryFolder());
      const file = join(folder.path, 'alerts.yml');
      writeFileSync(file, blockText(PAGE, 'alerts'));
      const job = `  - job_name: services\n    static_configs:\n      - targets: ['${services.address}']\n`;
      prometheus = resources.use(
        new Prometheus({
          binary: binary ?? '',
          scrapeConfigs: scrapeConfigsOf('exact-time', server) + job,
          settings: { global: { scrape_interval: '1s', evaluation_interval: '1s' }, rule_files: [file] },
        }),
      );
      await prometheus.start();
      post = (form) => postEvent(server, form);
      await post(`type=deploy&service=api&__timestamp__=${firstOfApi}`);
      await post(`type=deploy&service=api&__timestamp__=${secondOfApi}`);
      await post(`type=deploy&service=web&__timestamp__=${ofWeb}`);
      await post(`type=deploy_failed&service=api&__timestamp__=${failed}`);
      await post(`type=backup&host=db1&__timestamp__=${backupOfDb1}`);
      await post(`type=backup&host=db2&__timestamp__=${backupOfDb2}`);
      await until(async () => (await prometheus.query('service:errors:ratio5m')).length === 2, SOON);
      ofCheckout = Date.now() + 2_000 - 15 * MINUTE_MS;
      await post(`type=deploy&service=checkout&__timestamp__=${ofCheckout}`);
      // All pulses but those of the tests themselves are over, and their ends come with the same scrape or the next.
      await until(async () => {
        const series = await storedSeries(prometheus.url, 'events_to_metrics', began, Date.now());
        return series.length === 6 && series.every(({ endsAt }) => endsAt.length > 0);
      }, SOON);
    });

    afterAll(() => resources.disposeAsync());

    /** The services, hosts or whatever a label tells, that an expression gives at a time in Unix ms, with their values. */
    async function at(
      promql: string,
      time: number,
      label = 'service',
    ): Promise<Record<string, number | undefined>> {
      const found = await prometheus.query(promql, time);
      return Object.fromEntries(found.map(({ metric, samples }) => [metric[label] ?? '', samples[0]?.value]));
    }

    /** The steps in Unix ms at which a graph has a point, by service. */
    async function steps(promql: string, stepMs: number): Promise<Record<string, number[]>> {
      const found = await prometheus.queryRange(promql, began, began + 15 * MINUTE_MS, stepMs);
      return Object.fromEntries(
        found.map(({ metric, samples }) => [metric['service'] ?? '', samples.map((each) => each.at)]),
      );
    }

    const seconds = (...each: number[]) => each.map((second) => began + second * 1000);

    test('on a graph each event is a bar as long as its pulse, and none with a step that is longer', async () => {
      expect(await steps(query('graph'), 15_000)).toEqual({
        api: seconds(15, 30, 45, 60, 630, 645, 660, 675),
        web: seconds(120, 135, 150, 165),
      });
      expect(await steps(query('graph'), 5 * MINUTE_MS)).toEqual({});
    });

    test('on a graph of any step each event counts in the one step that it is in', async () => {
      const five = query('graph-any-step', (promql) => promql.replace('$__interval', '5m'));
      const found = await prometheus.queryRange(five, began, began + 15 * MINUTE_MS, 5 * MINUTE_MS);
      expect(by('service', found)).toEqual({
        api: [
          [began + 5 * MINUTE_MS, 1],
          [began + 15 * MINUTE_MS, 1],
        ],
        web: [[began + 5 * MINUTE_MS, 1]],
      });
      // An event on the very boundary of two ranges is in one of them.
      const one = query('graph-any-step', (promql) => promql.replace('$__interval', '1m'));
      expect((await steps(one, MINUTE_MS))['web']).toEqual(seconds(120));
    });

    test('a count over an hour counts each event, to the millisecond', async () => {
      const count = query('count');
      expect(await at(count, began + 20 * MINUTE_MS)).toEqual({ api: 2, web: 1 });
      expect(await at(count, firstOfApi - 1)).toEqual({});
      expect(await at(count, firstOfApi)).toEqual({ api: 1 });
      expect((await at(count, firstOfApi + HOUR_MS - 1))['api']).toBe(2);
      expect((await at(count, firstOfApi + HOUR_MS))['api']).toBe(1);
    });

    test('the time since the last event is exact', async () => {
      const found = await at(query('seconds-since'), began + 15 * MINUTE_MS);
      expect(found['api']).toBeCloseTo(5 * 60 - 20.456, 3);
      expect(found['web']).toBeCloseTo(13 * 60, 3);
    });

    test('the time since an event of this very minute is exact, too', async () => {
      const found = await at(query('seconds-since'), began + 10 * MINUTE_MS + 21_456);
      expect(found['api']).toBeCloseTo(1, 3);
    });

    test('an alert on an event holds from the event on for five minutes', async () => {
      const rule = alert('DeployFailed');
      expect(await at(rule, failed - 1)).toEqual({});
      expect(await at(rule, failed)).toEqual({ api: 1 });
      expect(await at(rule, failed + 5 * MINUTE_MS - 1)).toEqual({ api: 1 });
      expect(await at(rule, failed + 5 * MINUTE_MS)).toEqual({});
    });

    test('an alert on a missing event holds before the first one, and from 25 hours after the last', async () => {
      const rule = alert('BackupMissing');
      expect(await valueOf(prometheus, rule, backupOfDb1 - 1)).toBe(1);
      expect(await valueOf(prometheus, rule, backupOfDb1)).toBe(undefined);
      expect(await valueOf(prometheus, rule, backupOfDb2 + 25 * HOUR_MS - 1)).toBe(undefined);
      expect(await valueOf(prometheus, rule, backupOfDb2 + 25 * HOUR_MS)).toBe(1);
    });

    test('an alert on a missing event of each host holds for 25 hours to seven days after its last', async () => {
      const rule = alert('BackupMissingOnHost');
      const hosts = async (time: number) => Object.keys(await at(rule, time, 'host'));
      expect(await hosts(backupOfDb1 - 1)).toEqual([]);
      expect(await hosts(backupOfDb1 + 25 * HOUR_MS - 1)).toEqual([]);
      expect(await hosts(backupOfDb1 + 25 * HOUR_MS)).toEqual(['db1']);
      expect(await hosts(backupOfDb2 + 25 * HOUR_MS)).toEqual(['db1', 'db2']);
      expect(await hosts(backupOfDb1 + 7 * DAY_MS)).toEqual(['db2']);
    });

    test('an alert is suppressed for the service that was deployed, for a quarter of an hour, and for no other', async () => {
      const rule = alert('HighErrorRate');
      const over = ofCheckout + 15 * MINUTE_MS;
      expect(await at(rule, over - 1)).toEqual({ search: 0.5 });
      expect(await at(rule, over)).toEqual({ checkout: 0.5, search: 0.5 });
      const now = Math.max(Date.now(), over + 1);
      await post(`type=deploy&service=search&__timestamp__=${now}`);
      await until(async () => 'search' in (await at(query('graph'), now)), SOON);
      expect(await at(rule, now - 1)).toEqual({ checkout: 0.5, search: 0.5 });
      expect(await at(rule, now)).toEqual({ checkout: 0.5 });
    });

    test('Prometheus evaluates the rules: what holds is pending or fires', async () => {
      const active = async () => {
        const answer = await fetch(`${prometheus.url}/api/v1/alerts`);
        const { data } = (await answer.json()) as {
          data: { alerts: { labels: Record<string, string>; state: string }[] };
        };
        return data.alerts.map(({ labels, state }) => `${labels['alertname']} ${labels['service']} ${state}`);
      };
      expect(await active()).not.toContain('DeployFailed live firing');
      await post('type=deploy_failed&service=live');
      await expect.poll(active, SOON).toContain('DeployFailed live firing');
      await expect.poll(active, SOON).toContain('HighErrorRate checkout pending');
      expect((await active()).filter((line) => line.startsWith('BackupMissing'))).toEqual([]);
    });

    /**
     * What Grafana makes of an annotation query: a point for each sample above 0, at its step or at its value; points of a series that are
     * a step apart or less become one.
     */
    async function annotations(
      block: string,
      stepMs: number,
      at_: 'step' | 'value',
    ): Promise<Record<string, number[][]>> {
      const found = await prometheus.queryRange(query(block), began, began + 15 * MINUTE_MS, stepMs);
      const regions = found.map(({ metric, samples }): [string, number[][]] => {
        const made: number[][] = [];
        for (const sample of samples.filter(({ value }) => value > 0)) {
          const time = at_ === 'value' ? Math.floor(sample.value) : sample.at;
          const last = made.at(-1);
          if (last !== undefined && (last[1] ?? 0) + stepMs >= time) last[1] = time;
          else made.push([time, time]);
        }
        return [metric['service'] ?? '', made];
      });
      return Object.fromEntries(regions);
    }

    test.for([15_000, MINUTE_MS])(
      'with a step of %d ms Grafana shows each event once, at its exact time',
      async (stepMs) => {
        expect(await annotations('annotation', stepMs, 'value')).toEqual({
          api: [
            [firstOfApi, firstOfApi],
            [secondOfApi, secondOfApi],
          ],
          web: [[ofWeb, ofWeb]],
        });
      },
    );

    test('without its value as the time Grafana shows each event once, at the end of its minute', async () => {
      const [first = 0, second = 0, web = 0] = seconds(60, 660, 120);
      expect(await annotations('annotation-any-step', MINUTE_MS, 'step')).toEqual({
        api: [
          [first, first],
          [second, second],
        ],
        web: [[web, web]],
      });
    });
  },
);

test('increase() misses the first event of a type and is a little off; the exact query and count_over_time are neither', async ({
  skip,
}) => {
  if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  await using server = await startServer();
  await using prometheus = new Prometheus({ binary, scrapeConfigs: scrapeConfigsOf('exact-time', server) });
  await prometheus.start();
  await expect.poll(() => valueOf(prometheus, 'up'), SOON).toBe(1);
  const found = async () =>
    Promise.all(['increase', 'increase-exact', 'count'].map((block) => valueOf(prometheus, query(block))));
  const scrapesAt = (count: number) =>
    valueOf(
      prometheus,
      `count_over_time((events_to_metrics_events_total{type="deploy"} == ${count})[1m:1s])`,
    );

  await postEvent(server, 'type=deploy&service=api');
  await expect.poll(() => scrapesAt(1), SOON).toBeGreaterThan(6);
  expect(await found()).toEqual([0, 1, 1]);

  await postEvent(server, 'type=deploy&service=api');
  await expect.poll(() => scrapesAt(2), SOON).toBeGreaterThan(3);
  const [increase = 0, ...exact] = await found();
  expect(exact).toEqual([2, 2]);
  expect(increase).toBeGreaterThan(1);
  expect(increase).toBeLessThan(1.5);

  const [counter] = await storedSeries(prometheus.url, 'events_to_metrics_events_total', began, Date.now());
  const counted = counter?.samples.find(({ value }) => value === 2)?.at ?? 0;
  const ofFiveSeconds = query('increase-exact', (promql) => promql.replace('1h', '5s'));
  expect(await valueOf(prometheus, ofFiveSeconds, counted - 1)).toBe(0);
  expect(await valueOf(prometheus, ofFiveSeconds, counted)).toBe(1);
  expect(await valueOf(prometheus, ofFiveSeconds, counted + 4_999)).toBe(1);
  expect(await valueOf(prometheus, ofFiveSeconds, counted + 5_000)).toBe(0);
});
