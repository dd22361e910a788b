import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '../../src/config/load.ts';
import { envName } from '../../src/config/names.ts';
import { SET_BY_THE_CHART } from '../../scripts/chartPages.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { CHART, Helm } from './support/helm.ts';
import { HOW_TO_GET_CHART_TOOLS, requireTool } from './support/tools.ts';

const KUBERNETES = '1.37.2';
const binary = requireTool('helm-4.*/helm');

/** What is set, and what the refusal must say. */
const REFUSED: readonly (readonly [set: string, says: readonly string[]])[] = [
  ['server.prot=80', ["at '/server'", "additional properties 'prot' not allowed"]],
  ['netpool.generate=false', ["additional properties 'netpool' not allowed"]],
  ['server.port=0', ["at '/server/port'", 'minimum: got 0, want 1']],
  ['service.port=http', ["at '/service/port'", 'got string, want integer']],
  [
    'server.logLevel=LOUD',
    ["at '/server/logLevel'", "'LOUD' does not match pattern", 'ERROR|WARN|INFO|DEBUG'],
  ],
  ['server.tag=2', ["at '/server/tag'", 'got number, want string']],
  ['server.image=events:1', ["at '/server/image'", "'events:1' does not match pattern"]],
  ['serviceName=Events', ["at '/serviceName'", "'Events' does not match pattern"]],
  ['kind=DaemonSet', ["at '/kind'", "'StatefulSet', 'Deployment'"]],
  ['persistence.size=lots', ["at '/persistence/size'", "'lots' does not match pattern"]],
  ['netpol.ingress.allowedNamespaceMatchLabels=monitoring', ['got string, want array']],
  ['serviceMonitor.interval=often', ["at '/serviceMonitor/interval'"]],
  [
    'serviceMonitor.params.timestamps=never',
    ["at '/serviceMonitor/params/timestamps'", "'explicit', 'scrape', 'auto'"],
  ],
  ['serviceMonitor.params.scrapper=a', ["additional properties 'scrapper' not allowed"]],
  [
    'serviceMonitor.scrapeProtocols={Carbon}',
    ["at '/serviceMonitor/scrapeProtocols/0'", "'PrometheusProto'"],
  ],
  ['serviceMonitor.without={__address__}', ["at '/serviceMonitor/without/0'"]],
  ['global.imageregistry=r.example', ["at '/global'", "additional properties 'imageregistry' not allowed"]],
  ['imageRegistry=https://r.example', ["at '/imageRegistry'"]],
  ['server.useExplicitTimestamps=yes', ["at '/server/useExplicitTimestamps'"]],
  ['service.loadBalancerIp=192.0.2.1', ["additional properties 'loadBalancerIp' not allowed"]],
  ['service.loadBalancerIP=192.0.2.1', ['service.loadBalancerIP: ', 'set service.type to LoadBalancer']],
  ['service.nodePort=30090', ['service.nodePort: ', 'set service.type']],
  ['service.externalTrafficPolicy=Local', ['service.externalTrafficPolicy: ', 'set service.type']],
  ['service.ipFamilyPolicy=Dual', ["at '/service/ipFamilyPolicy'"]],
  ['ingress.hosts={https://events.example}', ["at '/ingress/hosts/0'"]],
  ['ingress.enabled=true', ['ingress.hosts: list the hosts']],
  ['httpRoute.enabled=true', ['httpRoute.hostnames: list the hosts']],
  [
    'httpRoute.enabled=true,httpRoute.hostnames={events.example}',
    ['httpRoute.parentRefs: list the Gateways'],
  ],
  ['testEvent.schedule=often', ["at '/testEvent/schedule'"]],
  ['config.scrape.eventMax=5', ["at '/config/scrape'", "additional properties 'eventMax' not allowed"]],
  ['config.server.port=80', ["at '/config/server'", "additional properties 'port' not allowed"]],
  ['podLabels.a=1', ["at '/podLabels/a'", 'got number, want string']],
  ['podMonitor.enabled=true', ['serviceMonitor.enabled and podMonitor.enabled', 'turn one of them off']],
  ['config.store.url=postgres://a', ["at '/config/store'", "additional properties 'url' not allowed"]],
  ['config.store.kind=postgres', ['config.store.kind=postgres: set database.existingSecret']],
  ['database.existingSecret=db', ['database.existingSecret: has no effect', 'config.store.kind']],
  ['webConfig.tls=true', ['webConfig.tls: set webConfig.existingSecret to the Secret']],
  ['webConfig.caKey=ca.crt', ['webConfig.caKey', 'set webConfig.tls']],
];

test.for(REFUSED)('%s is refused, and the message names it', async ([set, says], { skip }) => {
  if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
  using helm = new Helm(binary);
  const message = await helm.fail('template', 'x', CHART, '--kube-version', KUBERNETES, '--set', set);
  for (const part of says) expect(message).toContain(part);
});

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
}

describe('the environment of the server', () => {
  /** The server's variables, with some values set. */
  async function environment(...flags: readonly string[]): Promise<Record<string, string>> {
    using helm = new Helm(binary ?? '');
    const text = await helm.template(KUBERNETES, CHART, '--show-only=templates/statefulset.yaml', ...flags);
    const { spec } = parse(text) as Manifest;
    return Object.fromEntries(
      spec.template.spec.containers[0].env.map(({ name, value = '' }) => [name, value]),
    );
  }

  test('is taken by the server, and each value of the replaced chart arrives', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const env = await environment(
      '--set=server.port=9000,server.logLevel=debug,server.useExplicitTimestamps=true',
      '--set=config.scrapers.known={a,b},config.scrape.bytesMax=1MiB,config.store.entriesMax=1000000',
    );
    const loaded = loadSettings({ argv: [], env, readFile: () => '{}' });
    expect(loaded).toMatchObject({
      action: 'run',
      settings: {
        'server.port': 9000,
        'log.level': 'DEBUG',
        'scrape.timestamps': 'explicit',
        'store.path': '/data',
        'scrapers.known': ['a', 'b'],
        'scrape.bytesMax': 1024 * 1024,
        'store.entriesMax': 1_000_000,
      },
    });
  });

  test('lets in the hosts of the Ingress and of the HTTPRoute, beside those that are configured', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const hosts = async (...flags: readonly string[]) => {
      const loaded = loadSettings({ argv: [], env: await environment(...flags), readFile: () => '{}' });
      return loaded.action === 'run' ? loaded.settings['server.allowedHosts'] : undefined;
    };
    const ingress = '--set=ingress.enabled=true,ingress.hosts={events.example,*.hooks.example}';
    const route =
      '--set=httpRoute.enabled=true,httpRoute.hostnames={b.example},httpRoute.parentRefs[0].name=g';
    expect(await hosts()).toEqual([]);
    expect(await hosts('--set=ingress.hosts={events.example}')).toEqual([]);
    expect(await hosts(ingress)).toEqual(['events.example', '*.hooks.example']);
    expect(await hosts(ingress, route, '--set=config.server.allowedHosts=a.example')).toEqual([
      'a.example',
      'events.example',
      '*.hooks.example',
      'b.example',
    ]);
    expect(await hosts(route, '--set=config.server.allowedHosts={a.example,b.example}')).toEqual([
      'a.example',
      'b.example',
    ]);
  });

  test('names the file of a database, and then asks for no volume', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const flags = '--set=config.store.kind=postgres,database.existingSecret=db';
    const url = 'postgresql://app:pass@cluster-rw.ns:5432/app';
    const read: string[] = [];
    const readFile = (path: string) => {
      read.push(path);
      return path.endsWith('.json') ? '{}' : url;
    };
    const loaded = loadSettings({ argv: [], env: await environment(flags), readFile });
    expect(loaded).toMatchObject({ action: 'run', settings: { 'store.kind': 'postgres' } });
    expect(read).toContain('/etc/oneshot/database/uri');
    using helm = new Helm(binary);
    const text = await helm.template(KUBERNETES, CHART, '--show-only=templates/statefulset.yaml', flags);
    expect(text).toContain('secretName: db');
    expect(text).not.toContain('volumeClaimTemplates');
  });

  test('has the name that the server knows, for every setting', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const keys = Object.keys(SETTINGS).filter((key) => !SET_BY_THE_CHART.has(key));
    // Those that are objects; their members are no settings of their own.
    const objects: Readonly<Record<string, string>> = {
      webhooks: '{"deploys":{"labels":{"env":"/env"}}}',
      sinks: '{"db":{"url":"http://db:9090/api/v1/write"}}',
    };
    const env = await environment(
      ...keys.map((key) =>
        key in objects ? `--set-json=config.${key}=${objects[key]}` : `--set-string=config.${key}=x`,
      ),
    );
    expect(keys.length).toBeGreaterThan(25);
    expect(env).toMatchObject({ ONESHOT_WEBHOOKS: objects['webhooks'], ONESHOT_SINKS: objects['sinks'] });
    expect(Object.keys(env)).toEqual(expect.arrayContaining(keys.map((key) => envName(key))));
  });
});

describe('the parameters of the monitor', () => {
  test.for<readonly [string, Record<string, readonly string[]>]>([
    ['serviceMonitor.interval=30s', { scraper: ['$(POD_NAME)'], timestamps: ['auto'] }],
    ['serviceMonitor.params.scraper=a', { scraper: ['a'], timestamps: ['auto'] }],
    ['serviceMonitor.params.timestamps=explicit', { scraper: ['$(POD_NAME)'], timestamps: ['explicit'] }],
    // What the replaced chart could be told still holds.
    ['server.useExplicitTimestamps=false', { scraper: ['$(POD_NAME)'] }],
    ['server.useExplicitTimestamps=true', { scraper: ['$(POD_NAME)'] }],
    ['config.scrape.timestamps=scrape', { scraper: ['$(POD_NAME)'] }],
    // With these, times of samples do harm.
    ['serviceMonitor.honorTimestamps=false', { scraper: ['$(POD_NAME)'] }],
    ['serviceMonitor.trackTimestampsStaleness=true', { scraper: ['$(POD_NAME)'] }],
    ['identity.kubernetes=true', { timestamps: ['auto'] }],
    ['identity.kubernetes=true,serviceMonitor.params.scraper=a', { scraper: ['a'], timestamps: ['auto'] }],
  ])('with %s', async ([set, params], { skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    using helm = new Helm(binary);
    const monitor = async (...flags: readonly string[]) => {
      const text = await helm.template(
        KUBERNETES,
        CHART,
        '--show-only=templates/servicemonitor.yaml',
        ...flags,
      );
      return parse(text) as {
        spec: { endpoints: readonly { params?: Record<string, readonly string[]> }[] };
      };
    };
    const without = ['instance,pod,node,container,endpoint,service'];
    expect((await monitor(`--set=${set}`)).spec.endpoints[0]?.params).toEqual({ ...params, without });
    const bare = await monitor(`--set=${set}`, '--set=serviceMonitor.without=null');
    expect(bare.spec.endpoints[0]?.params).toEqual(params);
  });
});

test('the notes say what to do next, and what is missing', async ({ skip }) => {
  if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
  using helm = new Helm(binary);
  const notes = async (...flags: readonly string[]) =>
    helm.succeed('install', 'events', CHART, '--dry-run=client', '--hide-notes=false', ...flags);
  const command =
    'helm upgrade events oneShotMetricsServer/oneShotMetricsServer --namespace default --reuse-values ';
  const label = '--set serviceMonitor.labels.release=kube-prometheus-stack';
  const namespace = '--set netpol.ingress.allowedNamespaceMatchLabels="{monitoring}"';
  const bare = await notes('--set=persistence.enabled=false');
  expect(bare).toContain('helm test events --namespace default --logs');
  // The feed, because a peek without an id shows nothing once anybody has scraped.
  expect(bare).toContain("curl 'http://localhost:8090/api/v1/events'\n");
  expect(bare).toContain('accepted events are lost when the pod is replaced');
  expect(bare).toContain(
    "set its Helm release (the label that it selects monitors by) and its namespace (which the NetworkPolicy doesn't allow yet):\n",
  );
  expect(bare).toContain(`${command}${label} ${namespace}\n`);
  expect(await notes('--set=serviceMonitor.labels.release=kps')).toContain(`${command}${namespace}\n`);
  expect(await notes('--set=netpol.generate=false')).toContain(`${command}${label}\n`);
  const open =
    '--set=netpol.ingress.allowedNamespaceMatchLabels={monitoring},serviceMonitor.labels.release=kps';
  const set = await notes(open);
  expect(set).not.toContain('NOTE:');
  expect(set).not.toContain('CronJob');
  expect(await notes(open, '--set=testEvent.enabled=true')).toContain('A CronJob posts a test event');
  const outside = await notes(open, '--set=ingress.enabled=true,ingress.hosts={events.example}');
  expect(outside).toContain('Senders outside the cluster reach the server at events.example.');
  expect(outside).toContain('add its namespace to netpol.ingress.allowedNamespaceMatchLabels');
});
