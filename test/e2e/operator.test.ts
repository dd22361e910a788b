import { describe, test } from 'vitest';
import { parse } from 'yaml';
import type { ServiceMonitor } from '../../scripts/serviceMonitor.ts';
import { scrapeConfigOf } from '../../scripts/serviceMonitor.ts';
import { blockText } from '../support/pageBlocks.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import {
  HOUR_MS,
  MINUTE_MS,
  PAGE,
  postEvent,
  scrapeConfigsOf,
  SOON,
  stored,
} from '../support/prometheusPage.ts';
import { ServerProcess, startServer, temporaryFolder } from '../support/server.ts';
import { storedSeries } from '../support/tsdb.ts';
import { until } from '../support/until.ts';

/*
 * The ServiceMonitor of docs/operate/prometheus.md. There is no cluster here: its fields are held against those of the resource,
 * and what the Operator makes of it is run.
 */

const PULSE_MS = 10_000;

/** What a field holds; a list says what its items hold. */
type Field =
  'text' | 'flag' | { readonly list: Field } | { readonly map: Field } | { readonly [name: string]: Field };

/**
 * The fields that may stand in a ServiceMonitor, as far as they matter here:
 * https://github.com/prometheus-operator/prometheus-operator/blob/main/pkg/apis/monitoring/v1/servicemonitor_types.go, and `Endpoint` in
 * types.go beside it.
 */
const SERVICE_MONITOR: Field = {
  apiVersion: 'text',
  kind: 'text',
  metadata: { name: 'text', namespace: 'text', labels: { map: 'text' } },
  spec: {
    jobLabel: 'text',
    namespaceSelector: { any: 'flag', matchNames: { list: 'text' } },
    selector: { matchLabels: { map: 'text' } },
    scrapeProtocols: { list: 'text' },
    endpoints: {
      list: {
        port: 'text',
        path: 'text',
        scheme: 'text',
        interval: 'text',
        scrapeTimeout: 'text',
        honorLabels: 'flag',
        honorTimestamps: 'flag',
        trackTimestampsStaleness: 'flag',
        params: { map: { list: 'text' } },
        relabelings: {
          list: {
            sourceLabels: { list: 'text' },
            separator: 'text',
            targetLabel: 'text',
            regex: 'text',
            replacement: 'text',
            action: 'text',
          },
        },
      },
    },
  },
};

/** The protocols that the resource's enumeration knows. */
const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
];

/** Where a value is not what a field holds, by path. */
function violations(value: unknown, field: Field, path: string): string[] {
  if (field === 'text') return typeof value === 'string' ? [] : [`${path} is no text`];
  if (field === 'flag') return typeof value === 'boolean' ? [] : [`${path} is no flag`];
  if (typeof value !== 'object' || value === null) return [`${path} is no object`];
  if ('list' in field) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((item, i) => violations(item, field.list, `${path}[${i}]`));
  }
  return Object.entries(value).flatMap(([name, inner]) => {
    const its = 'map' in field ? field.map : (field as Readonly<Record<string, Field>>)[name];
    return its === undefined ? [`${path}.${name} is no field`] : violations(inner, its, `${path}.${name}`);
  });
}

test('the ServiceMonitor has only fields that the resource has', ({ expect }) => {
  const manifest = parse(blockText(PAGE, 'servicemonitor')) as ServiceMonitor;
  expect(violations(manifest, SERVICE_MONITOR, '')).toEqual([]);
  expect(manifest).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' });
  expect(SCRAPE_PROTOCOLS).toEqual(expect.arrayContaining([...(manifest.spec.scrapeProtocols ?? [])]));
});

test('the scrape config beside it says the same, field by field', ({ expect }) => {
  const monitor = parse(blockText(PAGE, 'servicemonitor')) as ServiceMonitor;
  expect(monitor.spec.endpoints).toHaveLength(1);
  expect(parse(blockText(PAGE, 'servicemonitor-scrape-config'))).toEqual({
    scrape_configs: [{ ...scrapeConfigOf(monitor), static_configs: [{ targets: ['localhost:8090'] }] }],
  });
});

/** A server whose event is scraped, which is killed and moves to another port before the pulse is over: the samples and the ends of each series. */
async function moved(binary: string, isWithout: boolean) {
  using folder = temporaryFolder();
  const flags = [`--store.path=${folder.path}/data`, `--pulse.width=${PULSE_MS}ms`];
  // Time enough to kill the server before the next scrape, which would prove the delivery.
  const slower = (config: string) => config.replace('    params:', '    scrape_interval: 3s\n    params:');
  const configFor = (server: ServerProcess) => {
    const config = scrapeConfigsOf('servicemonitor-scrape-config', server).replace(
      '$(POD_NAME)',
      'prometheus-k8s-0',
    );
    return slower(isWithout ? config : config.replace(/ {6}without:.*\n/, ''));
  };
  const first = await ServerProcess.start(flags);
  await using prometheus = new Prometheus({ binary, scrapeConfigs: configFor(first) });
  await prometheus.start();
  const series = () =>
    storedSeries(prometheus.url, 'events_to_metrics', Date.now() - HOUR_MS, Date.now() + MINUTE_MS);
  await until(async () => (await prometheus.query('up')).length > 0, SOON);
  await postEvent(first, 'n=a');
  await until(async () => (await series()).length > 0, SOON);
  await first.end('SIGKILL');
  const second = await ServerProcess.start(flags);
  await prometheus.reload(configFor(second));
  await until(async () => (await series()).some(({ endsAt }) => endsAt.length > 0), SOON);
  const found = await series();
  await second.end('SIGTERM');
  const at = Math.min(...found.flatMap(({ samples }) => samples.map((sample) => sample.at)));
  return found.map(({ samples, endsAt }) => [
    samples.map((each) => each.at - at),
    endsAt.map((end) => end - at),
  ]);
}

describe.concurrent('run by Prometheus', () => {
  test('that scrape config gives each replica an id of its own once the name of its pod is in it', async ({
    skip,
    expect,
  }) => {
    const binary = requirePrometheus('3.5');
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using server = await startServer();
    const replica = (pod: string) =>
      new Prometheus({
        binary,
        scrapeConfigs: scrapeConfigsOf('servicemonitor-scrape-config', server).replace('$(POD_NAME)', pod),
      });
    await using a = replica('prometheus-k8s-0');
    await using b = replica('prometheus-k8s-1');
    await Promise.all([a.start(), b.start()]);
    const at = Date.now() - 3 * MINUTE_MS;
    await postEvent(server, `n=a&__timestamp__=${at}`);
    for (const each of [a, b]) {
      await expect.poll(async () => (await stored(each, 'a')).endsAt, SOON).toEqual([at + MINUTE_MS]);
      expect((await stored(each, 'a')).samples).toEqual([[at, 1]]);
    }
    const { scrapers } = (await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as {
      scrapers: { id: string; mode: string; format: string }[];
    };
    expect(
      scrapers.map(({ id, mode, format }) => `${id} ${mode} ${format}`).toSorted((x, y) => (x < y ? -1 : 1)),
    ).toEqual(['prometheus-k8s-0 timed protobuf', 'prometheus-k8s-1 timed protobuf']);
  });

  test('with its parameter a server that moves to another address ends the pulse in the series that it began', async ({
    skip,
    expect,
  }) => {
    const binary = requirePrometheus('3.5');
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    expect(await moved(binary, true)).toEqual([[[0], [PULSE_MS]]]);
  });

  test('without it the end is in another series, where the event that was not yet proved delivered is stored again', async ({
    skip,
    expect,
  }) => {
    const binary = requirePrometheus('3.5');
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const found = await moved(binary, false);
    expect(found).toHaveLength(2);
    expect(found).toContainEqual([[0], []]);
    expect(found).toContainEqual([[0], [PULSE_MS]]);
  });
});
