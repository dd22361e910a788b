import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServer, temporaryFolder } from '../support/server.ts';
import { Cluster } from './support/cluster.ts';
import { CHART, Helm } from './support/helm.ts';
import { requireTool } from './support/tools.ts';

const etcd = requireTool('etcd-*/etcd');
const apiServer = requireTool('kube-apiserver-*/kube-apiserver');
const crds = requireTool('schemas/operator-*');
const helm4 = requireTool('helm-4.*/helm');
const NAMESPACE = 'kaas-events';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** As the restricted profile of the namespace wants it. */
const POD_SPEC = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'c',
      image: 'c',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};
const SOON = { timeout: 15_000, interval: 50 };

test("with the chart's role and a real API server, a StatefulSet's Prometheus keeps its place over a restart", async ({
  skip,
}) => {
  if (etcd === undefined || apiServer === undefined || crds === undefined || helm4 === undefined)
    throw skip('`scripts/tools.sh etcd-3.5` and `scripts/chartTools.sh apiserver` install a real API server');
  await using cluster = new Cluster({ etcd, apiServer });
  await cluster.start();
  using helm = new Helm(helm4, { KUBECONFIG: cluster.kubeconfig });
  await helm.succeed('install', 'surroundings', cluster.surroundings([crds], []));
  const values = [`--set=serviceName=e,serviceNamespace=${NAMESPACE}`, '--set=identity.kubernetes=true'];
  await helm.succeed('install', 'e', CHART, ...values);
  const { status } = (await cluster.send('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/e/token`, {
    spec: {},
  })) as { status: { token: string } };
  using folder = temporaryFolder();
  const tokenFile = join(folder.path, 'token');
  writeFileSync(tokenFile, status.token);

  /** A pod of the StatefulSet, as its controller and the kubelet would make it. */
  const start = async (ip: string) => {
    await cluster.send('POST', PODS, {
      metadata: {
        name: 'prometheus-0',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'prometheus', uid: 'u', controller: true },
        ],
      },
      spec: { serviceAccountName: 'e', ...POD_SPEC },
    });
    await cluster.send('PATCH', `${PODS}/prometheus-0/status`, {
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    });
  };

  await using server = await startServer({
    'scrapers.identity': 'kubernetes',
    'kubernetes.url': cluster.url,
    'kubernetes.tokenFile': tokenFile,
    'kubernetes.caFile': cluster.certificateFile,
    'scrapers.lookback': 0,
  });
  const scrapeFrom = async (ip: string) => {
    const answer = await fetch(`${server.url}/metrics`, { headers: { 'X-Real-Ip': ip } });
    return { status: answer.status, events: (await answer.text()).match(/^events_to_metrics\{.*$/gm) ?? [] };
  };
  await start('10.244.0.7');
  await expect.poll(async () => (await scrapeFrom('10.244.0.7')).status, SOON).toBe(200);
  await cluster.send('DELETE', `${PODS}/prometheus-0`, { gracePeriodSeconds: 0 });
  await fetch(`${server.url}/event?n=1`, { method: 'POST' });
  await start('10.244.0.9');
  expect(await scrapeFrom('10.244.0.9')).toEqual({ status: 200, events: ['events_to_metrics{n="1"} 1'] });
  const listed = await (await fetch(`${server.url}/api/v1/scrapers`)).json();
  expect(listed).toMatchObject({
    scrapers: [{ id: 'kaas-events/prometheus-0', identifiedBy: 'pod', address: '10.244.0.9' }],
  });
});
