import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { HOW_TO_GET_PROMETHEUS, Prometheus, findPromtool, requirePrometheus } from '../support/prometheus.ts';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import { startServer } from '../support/server.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const FIRST_SCRAPE = { timeout: 30_000, interval: 100 };
const SCRAPES_MS = 4_000;
const run = promisify(execFile);

/** What is read of a dashboard. */
interface Dashboard {
  readonly annotations: { readonly list: readonly { readonly builtIn?: 1; readonly expr?: string }[] };
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const dashboard = JSON.parse(readFileSync(join(DEPLOY, 'grafana/dashboard.json'), 'utf8')) as Dashboard;

/** What Grafana puts in place of its variables, everything being selected. */
const VARIABLES: Readonly<Record<string, string>> = {
  $metric: 'events_to_metrics',
  $type: '.*',
  $job: '.*',
  $instance: '.*',
  $__interval: '1m',
  $__rate_interval: '1m',
  $__range: '1h',
};
const filledIn = (expr: string): string => expr.replaceAll(/\$\w+/g, (name) => VARIABLES[name] ?? name);

/** Every query of the dashboard, by the name of what shows it. */
const QUERIES: readonly (readonly [string, string])[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.annotations.list.flatMap(({ expr }) =>
    expr === undefined ? [] : [['annotations', expr] as const],
  ),
];

const binary = requirePrometheus('3.5');
const promtool = findPromtool();

describe('deploy/', () => {
  test("every query of the dashboard finds something in a real Prometheus with this server's data", async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    // One that refuses some, and gets not all.
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.samples.some(({ labels }) => labels['type'] === 'restart') ? call.answer(400) : call.store(),
    );
    await using server = await startServer({
      sinks: { db: { url: receiver.url, select: ['{type!="run"}'] } },
      'server.stopTimeout': 100,
    });
    const ruleFile = join(DEPLOY, 'prometheus/rules.yaml');
    await using prometheus = new Prometheus({
      binary,
      settings: { rule_files: [ruleFile], global: { scrape_interval: '1s', evaluation_interval: '1s' } },
      scrapeConfigs: [
        // As the README has it: events are seen for pulse.width.
        {
          job_name: 'events',
          targets: [`127.0.0.1:${server.port}`],
          params: { scraper: ['p'], timestamps: ['explicit'] },
          scrape_protocols: ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'],
        },
      ],
    });
    await prometheus.start();
    await expect.poll(() => prometheus.query('up == 1'), FIRST_SCRAPE).toHaveLength(1);
    for (const labels of [
      'type=deploy',
      'type=restart',
      'type=deploy',
      'type=run&name=backup&status=success',
    ])
      await fetch(`${server.url}/event?${labels}&value=2`, { method: 'POST' });
    await sleep(SCRAPES_MS);

    expect(QUERIES.length).toBeGreaterThan(10);
    for (const [title, expr] of QUERIES) {
      // A subquery looks at whole multiples of its step only, and the next one may be seconds away.
      const found = async () => (await prometheus.query(filledIn(expr))).length;
      await expect.poll(found, { ...FIRST_SCRAPE, message: `${title}: ${expr}` }).toBeGreaterThan(0);
    }
    for (const { type, definition } of dashboard.templating.list) {
      if (type !== 'query') continue;
      const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
      const found = await prometheus.query(`count by (${label}) (${filledIn(selector)})`);
      expect(found.map(({ metric }) => metric[label]).every((value) => value !== undefined)).toBe(true);
      expect(found.length, definition).toBeGreaterThan(0);
    }
    const [recorded] = await prometheus.query(
      'job_metric_type:events_to_metrics_events:increase5m{type="deploy"}',
    );
    expect(recorded?.metric).toMatchObject({ job: 'events', metric: 'events_to_metrics' });
    // A server that was just started is missing nowhere; nothing else is wrong with it, either, but what its sink refused.
    expect(await prometheus.query('ALERTS{alertname!~"OneShot(EventsDropped|DeliveriesReturned)"}')).toEqual(
      [],
    );
  });

  test('the rules are valid, and alert when they should and only then', async ({ skip }) => {
    if (promtool === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const checked = await run(promtool, ['check', 'rules', join(DEPLOY, 'prometheus/rules.yaml')]);
    expect(checked.stdout).toContain('13 rules found');
    const tested = await run(promtool, ['test', 'rules', join(DEPLOY, 'prometheus/rules.test.yaml')]);
    expect(tested.stdout + tested.stderr).toContain('SUCCESS');
  });

  test('the dashboard has the annotations that Grafana itself makes', () => {
    expect(dashboard.annotations.list.filter(({ builtIn }) => builtIn === 1)).toHaveLength(1);
  });

  test('every metric that a rule names is one of the server', async () => {
    const rules = readFileSync(join(DEPLOY, 'prometheus/rules.yaml'), 'utf8');
    // Some metrics are there only with a sink.
    await using server = await startServer({
      sinks: { db: { url: 'http://127.0.0.1:1/' } },
      'server.stopTimeout': 100,
    });
    await fetch(`${server.url}/event?type=deploy`, { method: 'POST' });
    await fetch(`${server.url}/metrics?scraper=p`);
    const scraped = await (await fetch(`${server.url}/metrics?scraper=p`)).text();
    const named = new Set(rules.match(/(?<![:\w])events_to_metrics_\w+/g));
    expect(named.size).toBeGreaterThan(8);
    // Needs a database; test/e2e/postgres.test.ts sees it.
    expect(named.delete('events_to_metrics_store_up')).toBe(true);
    const missing = [...named].filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(scraped));
    expect(missing).toEqual([]);
  });

  test("the example's Prometheus takes its configuration", async ({ skip }) => {
    if (promtool === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const config = join(DEPLOY, 'compose/prometheus.yaml');
    const { stdout } = await run(promtool, ['check', 'config', '--syntax-only', config]);
    expect(stdout).toContain('SUCCESS');
  });
});
