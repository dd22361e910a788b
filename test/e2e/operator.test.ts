import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { blockText } from '../support/pageBlocks.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { MINUTE_MS, PAGE, postEvent, scrapeConfigsOf, SOON, stored } from '../support/prometheusPage.ts';
import { startServer } from '../support/server.ts';

/*
 * The ServiceMonitor of docs/operate/prometheus.md. There is no cluster here: its fields are held against those of the resource,
 * and what the Operator makes of it is run.
 */

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

interface ServiceMonitor {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly scrapeProtocols: readonly string[];
    readonly endpoints: readonly {
      readonly path: string;
      readonly interval: string;
      readonly honorLabels: boolean;
      readonly honorTimestamps: boolean;
      readonly params: Readonly<Record<string, readonly string[]>>;
    }[];
  };
}

test('the ServiceMonitor has only fields that the resource has, and its selector is that of its labels', () => {
  const manifest = parse(blockText(PAGE, 'servicemonitor')) as ServiceMonitor;
  expect(violations(manifest, SERVICE_MONITOR, '')).toEqual([]);
  expect(manifest).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' });
  expect(SCRAPE_PROTOCOLS).toEqual(expect.arrayContaining([...manifest.spec.scrapeProtocols]));
  expect(manifest).toMatchObject({
    spec: { selector: { matchLabels: { 'app.kubernetes.io/name': /^[a-z]+$/ } } },
  });
});

test('the scrape config beside it says the same, field by field', () => {
  const { metadata, spec } = parse(blockText(PAGE, 'servicemonitor')) as ServiceMonitor;
  const [endpoint] = spec.endpoints;
  expect(spec.endpoints).toHaveLength(1);
  expect(parse(blockText(PAGE, 'servicemonitor-scrape-config'))).toEqual({
    scrape_configs: [
      {
        job_name: `serviceMonitor/${metadata.namespace}/${metadata.name}/0`,
        honor_labels: endpoint?.honorLabels,
        honor_timestamps: endpoint?.honorTimestamps,
        metrics_path: endpoint?.path,
        scrape_interval: endpoint?.interval,
        scrape_protocols: spec.scrapeProtocols,
        params: endpoint?.params,
        static_configs: [{ targets: ['localhost:8090'] }],
      },
    ],
  });
});

test('that scrape config gives each replica an id of its own once the name of its pod is in it', async ({
  skip,
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
