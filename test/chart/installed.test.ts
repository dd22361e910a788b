import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import type { ServiceMonitor } from '../../scripts/serviceMonitor.ts';
import { scrapeConfigOf, serviceMonitorOf } from '../../scripts/serviceMonitor.ts';
import type { ScrapeConfig } from '../support/prometheus.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { neverDown, postEvent, SOON, valueOf } from '../support/prometheusPage.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';
import { CHART, Helm } from './support/helm.ts';
import { HOW_TO_GET_CHART_TOOLS, requireTool } from './support/tools.ts';

/*
 * What `helm install` makes with its defaults: the server in the environment that its pod has, scraped by a Prometheus that is configured
 * as the Operator configures one by the ServiceMonitor.
 */

const KUBERNETES = '1.37.2';
const helmBinary = requireTool('helm-4.*/helm');
const binary = requirePrometheus('3.5');

interface Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly env: readonly Variable[] }] };
    };
  };
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

async function install(...flags: readonly string[]) {
  using helm = new Helm(helmBinary ?? '');
  const manifests = await helm.template(KUBERNETES, CHART, ...flags);
  const found = manifests.split(/^---$/m).find((text) => /^kind: StatefulSet$/m.test(text));
  const { spec } = parse(found ?? '') as Manifest;
  const variables = spec.template.spec.containers[0].env.map(({ name, value }) => [name, value] as const);
  return {
    monitor: serviceMonitorOf(manifests),
    env: Object.fromEntries(variables) as Record<string, string>,
  };
}

/** The scrape config of the Prometheus in a pod, which the server sees come from an address. */
function configOf(monitor: ServiceMonitor, server: ServerProcess, pod: string, address: string) {
  const config = JSON.stringify(scrapeConfigOf(monitor)).replaceAll('$(POD_NAME)', pod);
  return {
    ...(JSON.parse(config) as Omit<ScrapeConfig, 'targets'> & { job_name: string }),
    targets: [`127.0.0.1:${server.port}`],
    // All come from the same machine here; the server believes its proxies.
    http_headers: { 'X-Forwarded-For': { values: [address] } },
  };
}

const countOf = (prometheus: Prometheus, n: string) =>
  valueOf(prometheus, `sum(count_over_time(events_to_metrics{n="${n}"}[10m])) or vector(0)`);

describe.concurrent('an installed chart', () => {
  test.for<readonly [string, readonly string[], number]>([
    ['by the defaults gets both events that happened meanwhile', [], 2],
    ['without an id would get neither', ['--set=serviceMonitor.params.scraper=null'], 0],
  ])(
    'three equal events count as three, and a Prometheus that comes back from another address, %s',
    async ([, flags, missed], { skip, expect }) => {
      if (helmBinary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
      if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
      const { monitor, env } = await install(...flags);
      using folder = temporaryFolder();
      const server = await ServerProcess.start([`--store.path=${folder.path}`], { env });
      try {
        const scrapedFrom = (address: string) =>
          new Prometheus({
            binary,
            scrapeConfigs: [configOf(monitor, server, 'prometheus-k8s-0', address)],
          });
        await using first = scrapedFrom('10.244.0.5');
        await first.start();
        await expect.poll(() => neverDown(first), SOON).toBe(1);
        // The counter of the type is there before the three, as on a server that has run for a while.
        await postEvent(server, 'type=deploy&n=before');
        const counter = 'events_to_metrics_events_total{type="deploy"}';
        await expect.poll(() => valueOf(first, `count_over_time(${counter}[5m]) > 3`), SOON).toBeDefined();
        for (let i = 0; i < 3; i++) await postEvent(server, 'type=deploy&n=equal');
        await expect.poll(() => countOf(first, 'equal'), SOON).toBe(3);
        await expect
          .poll(async () => Math.round((await valueOf(first, `increase(${counter}[5m])`)) ?? 0), SOON)
          .toBe(3);
        const scraped = await valueOf(first, 'count_over_time(up[5m])');
        await expect
          .poll(() => valueOf(first, 'count_over_time(up[5m])'), SOON)
          .toBeGreaterThan((scraped ?? 0) + 1);
        expect(await neverDown(first)).toBe(1);
        await first.stop();

        for (let i = 0; i < 2; i++) await postEvent(server, 'type=deploy&n=meanwhile');
        await using second = scrapedFrom('10.244.0.9');
        await second.start();
        await expect.poll(() => neverDown(second), SOON).toBe(1);
        await postEvent(server, 'type=deploy&n=after');
        await expect.poll(() => countOf(second, 'after'), SOON).toBe(1);
        expect(await countOf(second, 'meanwhile')).toBe(missed);
        // What the first one had is not told again.
        expect(await countOf(second, 'equal')).toBe(0);
        expect(await neverDown(second)).toBe(1);
      } finally {
        await server.end('SIGTERM');
      }
    },
  );

  test('gives a pair of replicas each event, each under its own name', async ({ skip, expect }) => {
    if (helmBinary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const { monitor, env } = await install();
    using folder = temporaryFolder();
    const server = await ServerProcess.start([`--store.path=${folder.path}`], { env });
    try {
      const replica = (pod: string) =>
        new Prometheus({ binary, scrapeConfigs: [configOf(monitor, server, pod, '10.244.0.5')] });
      await using a = replica('prometheus-k8s-0');
      await using b = replica('prometheus-k8s-1');
      await Promise.all([a.start(), b.start()]);
      for (let i = 0; i < 3; i++) await postEvent(server, 'type=deploy&n=equal');
      for (const each of [a, b]) await expect.poll(() => countOf(each, 'equal'), SOON).toBe(3);
    } finally {
      await server.end('SIGTERM');
    }
  });

  test('with an Ingress answers GitHub and GitLab by its host, and nobody by another', async ({
    skip,
    expect,
  }) => {
    if (helmBinary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const { env } = await install('--set=ingress.enabled=true,ingress.hosts={events.example}');
    using folder = temporaryFolder();
    const server = await ServerProcess.start([`--store.path=${folder.path}`], { env });
    const deliver = async (host: string, path: string, event: Record<string, string>, body: object) => {
      const headers = { host, 'content-type': 'application/json', ...event };
      const sent = request(`${server.url}${path}`, { method: 'POST', headers }).end(JSON.stringify(body));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    try {
      const statuses = ['events.example', 'events.example:443', 'stranger.example'].map(async (host) => [
        await deliver(host, '/webhook/github', { 'x-github-event': 'ping' }, { zen: 'Keep it.' }),
        await deliver(host, '/webhook/gitlab', { 'x-gitlab-event': 'Note Hook' }, { object_kind: 'note' }),
      ]);
      expect(await Promise.all(statuses)).toEqual([
        [200, 200],
        [200, 200],
        [421, 421],
      ]);
    } finally {
      await server.end('SIGTERM');
    }
  });
});
