import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from './support/cluster.ts';
import { CHART, Helm } from './support/helm.ts';
import { requireTool } from './support/tools.ts';

const HOW_TO_GET_A_CLUSTER =
  '`scripts/tools.sh etcd-3.5` and `scripts/chartTools.sh apiserver` install a real API server and its store';

const etcd = requireTool('etcd-*/etcd');
const apiServer = requireTool('kube-apiserver-*/kube-apiserver');
const crds = ['schemas/operator-*', 'schemas/gateway-*'].map((folder) => requireTool(folder));
const binaries = etcd === undefined || apiServer === undefined ? undefined : { etcd, apiServer };
const valueFiles = globSync('ci/*-values.yaml', { cwd: CHART }).sort();
const cluster = binaries === undefined ? undefined : new Cluster(binaries);

/** The values of the README's command. */
const VALUES = [
  '--set=serviceName=events-to-metrics',
  '--set=serviceNamespace=kaas-events',
  '--set=netpol.ingress.allowedNamespaceMatchLabels={kaas-metrics,kaas-monitoring}',
];
const STATEFUL_SET = '/apis/apps/v1/namespaces/kaas-events/statefulsets/events-to-metrics';
const WARN = '--set=namespace.labels.pod-security\\.kubernetes\\.io/warn=restricted';

beforeAll(async () => {
  const helm4 = requireTool('helm-4.*/helm');
  if (cluster === undefined || helm4 === undefined) return;
  await cluster.start();
  const folders = crds.filter((folder) => folder !== undefined);
  const surroundings = cluster.surroundings(folders, ['monitoring', 'shared']);
  using helm = new Helm(helm4, { KUBECONFIG: cluster.kubeconfig });
  await helm.succeed('install', 'surroundings', surroundings);
});

afterAll(() => cluster?.[Symbol.asyncDispose]());

describe.each(['3', '4'])('a real API server, with Helm %s', (major) => {
  const binary = requireTool(`helm-${major}.*/helm`);

  test('takes the chart as the README installs it, and each change of it', async ({ skip }) => {
    if (cluster === undefined || binary === undefined) throw skip(HOW_TO_GET_A_CLUSTER);
    using helm = new Helm(binary, { KUBECONFIG: cluster.kubeconfig });
    await helm.succeed('install', 'events-to-metrics', CHART, ...VALUES, '--dry-run=server');
    expect(await cluster.get(STATEFUL_SET)).toBeUndefined();
    const { code, stderr } = await helm.run('install', 'events-to-metrics', CHART, ...VALUES, WARN);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('PodSecurity') as string,
    });
    expect(await cluster.get(STATEFUL_SET)).toMatchObject({ spec: { replicas: 1 } });
    const monitors = '/apis/monitoring.coreos.com/v1/namespaces/kaas-events/servicemonitors';
    expect(await cluster.get(monitors)).toMatchObject({
      items: [{ metadata: { name: 'events-to-metrics' } }],
    });

    // What Kubernetes allows no change of must not change with the chart's values.
    await helm.succeed(
      'upgrade',
      'events-to-metrics',
      CHART,
      ...VALUES,
      '--set=server.tag=next,service.port=80',
    );
    expect(await cluster.get(STATEFUL_SET)).toMatchObject({ metadata: { generation: 2 } });
    await helm.succeed('upgrade', 'events-to-metrics', CHART, ...VALUES, '--set=kind=Deployment');
    expect(await cluster.get(STATEFUL_SET)).toBeUndefined();

    // No node runs it, so it can't succeed; but it is let in, in a namespace that enforces the restricted profile.
    await helm.fail('test', 'events-to-metrics', '--timeout=2s');
    const pods = await cluster.get('/api/v1/namespaces/kaas-events/pods');
    expect(pods).toMatchObject({
      items: [{ metadata: { name: 'events-to-metrics-test' }, status: { phase: 'Pending' } }],
    });

    await helm.succeed('uninstall', 'events-to-metrics');
    const namespace = await cluster.get('/api/v1/namespaces/kaas-events');
    expect(namespace).toMatchObject({ status: { phase: 'Active' } });
    await helm.succeed('install', 'events-to-metrics', CHART, ...VALUES);
    await helm.succeed('uninstall', 'events-to-metrics');
  });

  test('would warn of a pod that does not fit the restricted profile', async ({ skip }) => {
    if (cluster === undefined || binary === undefined) throw skip(HOW_TO_GET_A_CLUSTER);
    using helm = new Helm(binary, { KUBECONFIG: cluster.kubeconfig });
    const flags = [
      ...VALUES,
      WARN,
      '--set=serviceMonitor.enabled=false,podSecurityContext.runAsNonRoot=false',
    ];
    const { code, stderr } = await helm.run('install', 'events-to-metrics', CHART, ...flags);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('would violate PodSecurity') as string,
    });
    await helm.succeed('uninstall', 'events-to-metrics');
  });
});

test.for(valueFiles)('%s is installed into a real API server', async (file, { skip }) => {
  const binary = requireTool('helm-4.*/helm');
  if (cluster === undefined || binary === undefined) throw skip(HOW_TO_GET_A_CLUSTER);
  using helm = new Helm(binary, { KUBECONFIG: cluster.kubeconfig });
  const release = basename(file, '-values.yaml');
  // The namespaces are there: another release left one, and Helm lets none take over what is another's.
  await helm.succeed('install', release, CHART, '-f', join(CHART, file), '--set=namespace.create=false');
  expect(await helm.succeed('uninstall', release)).toContain('uninstalled');
});
