import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'vitest';
import type { PrometheusVersion } from '../support/prometheus.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const SOON = { timeout: 60_000, interval: 200 };
const SENT_AGAIN_MIN = 4;

const RULES = {
  groups: [
    {
      name: 'test',
      interval: '1s',
      rules: [
        { alert: 'SwitchedOn', expr: 'switch_on == 1', labels: { severity: 'page', 'node.zone': 'a' } },
      ],
    },
  ],
};

/** A target with one metric, which the test turns. */
async function startSwitch(): Promise<AsyncDisposable & { port: number; isOn: boolean }> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(`switch_on ${self.isOn ? 1 : 0}\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self = {
    port: (server.address() as AddressInfo).port,
    isOn: false,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return self;
}

test.concurrent.for<PrometheusVersion>(['3.5', '2.53'])(
  'Prometheus %s takes the server for an Alertmanager: an alert is one event when it fires and one when it is resolved',
  async (version, { skip, expect }) => {
    const binary = requirePrometheus(version);
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using target = await startSwitch();
    using folder = temporaryFolder();
    const rules = join(folder.path, 'rules.json');
    writeFileSync(
      rules,
      JSON.stringify(RULES, (key, value: unknown) =>
        version !== '3.5' && key === 'labels' ? { severity: 'page' } : value,
      ),
    );
    const server = await ServerProcess.start([`--store.path=${folder.path}/data`]);
    const us = `127.0.0.1:${server.port}`;
    await using prometheus = new Prometheus({
      binary,
      // Each alert is sent again with each evaluation.
      flags: ['--rules.alert.resend-delay=1s'],
      scrapeConfigs: [
        { job_name: 'switch', targets: [`127.0.0.1:${target.port}`] },
        { job_name: 'events', targets: [us], params: { scraper: ['p'] } },
      ],
      settings: {
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [rules],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [us] }] }] },
      },
    });
    await prometheus.start();

    const posts = async (): Promise<number> => {
      const own = await (await fetch(`${server.url}/metrics?peek=true`)).text();
      const line =
        /^events_to_metrics_http_requests_total\{code="200",method="POST",route="\/api\/v2\/alerts"\} (\d+)$/m;
      return Number(line.exec(own)?.[1] ?? 0);
    };
    /** The raw samples of the alert's events by status: one for each event that arrived. */
    const stored = async (): Promise<Record<string, number>> => {
      const series = await prometheus.query('events_to_metrics{alertname="SwitchedOn"}[10m]');
      return Object.fromEntries(series.map(({ metric, samples }) => [metric['status'], samples.length]));
    };

    await expect.poll(async () => (await prometheus.query('up == 1')).length, SOON).toBe(2);
    target.isOn = true;
    await expect.poll(stored, SOON).toEqual({ firing: 1 });
    const fired = await posts();
    await expect.poll(posts, SOON).toBeGreaterThan(fired + SENT_AGAIN_MIN);
    expect(await stored()).toEqual({ firing: 1 });

    target.isOn = false;
    await expect.poll(stored, SOON).toEqual({ firing: 1, resolved: 1 });
    const resolved = await posts();
    await expect.poll(posts, SOON).toBeGreaterThan(resolved + SENT_AGAIN_MIN);
    expect(await stored()).toEqual({ firing: 1, resolved: 1 });

    const [dropped] = await prometheus.query('sum(prometheus_notifications_dropped_total)');
    expect(dropped?.samples[0]?.value ?? 0).toBe(0);
    const [series] = await prometheus.query('last_over_time(events_to_metrics{status="firing"}[10m])');
    expect(series?.metric).toMatchObject({ alertname: 'SwitchedOn', severity: 'page', type: 'alert' });
    expect(await server.end('SIGTERM')).toBe(0);
  },
);
