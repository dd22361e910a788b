import { once } from 'node:events';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHART, Helm } from './support/helm.ts';
import { HOW_TO_GET_CHART_TOOLS, requireTool } from './support/tools.ts';

const KUBERNETES = '1.37.2';

/** Serves the files of one folder on loopback, as pages would. */
async function serve(folder: string): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    createReadStream(join(folder, basename(request.url ?? '')))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe.each(['3', '4'])('with Helm %s', (major) => {
  const binary = requireTool(`helm-${major}.*/helm`);

  test('the packaged chart is installed from a repository by the commands of the README', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    const folder = mkdtempSync(join(tmpdir(), 'repository-'));
    try {
      using helm = new Helm(binary);
      await using repository = await serve(folder);
      await helm.succeed('package', CHART, '--destination', folder);
      await helm.succeed('repo', 'index', folder, '--url', repository.url);
      expect(readFileSync(join(folder, 'index.yaml'), 'utf8')).toContain('name: oneShotMetricsServer');

      await helm.succeed('repo', 'add', 'oneShotMetricsServer', repository.url);
      await helm.succeed('repo', 'update');
      expect(await helm.succeed('search', 'repo', 'oneShotMetricsServer')).toContain(
        'One-shot events for Prometheus',
      );
      const values = [
        '--set=serviceName=events-to-metrics',
        '--set=serviceNamespace=kaas-events',
        '--set=netpol.ingress.allowedNamespaceMatchLabels={kaas-metrics,kaas-monitoring}',
      ];
      const name = 'oneShotMetricsServer/oneShotMetricsServer';
      const installed = await helm.template(KUBERNETES, name, ...values);
      expect(installed).toBe(await helm.template(KUBERNETES, CHART, ...values));
      // What is there for us alone stays out of the package.
      expect(await helm.succeed('show', 'all', name)).toContain('Migrating from the replaced chart');
      await helm.succeed('pull', name, '--untar', '--untardir', folder);
      expect(() => readFileSync(join(folder, 'oneShotMetricsServer/ci/default-values.yaml'))).toThrow(
        'ENOENT',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
