import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CHART, Helm, run } from './support/helm.ts';
import { SCHEMA_LOCATION, writeSchemas } from './support/schemas.ts';
import { HOW_TO_GET_CHART_TOOLS, requireTool } from './support/tools.ts';

/** The oldest and the newest that `scripts/chartTools.sh` fetches the definitions of. */
const KUBERNETES = ['1.25.16', '1.37.2'];
const NEWEST = '1.37.2';

const kubeconform = requireTool('kubeconform-*/kubeconform');
const openApi = new Map(KUBERNETES.map((each) => [each, requireTool(`schemas/kubernetes-${each}.json`)]));
const crds = ['schemas/operator-*', 'schemas/gateway-*'].map((folder) => requireTool(folder));
const valueFiles = globSync('ci/*-values.yaml', { cwd: CHART }).sort();

const schemas = mkdtempSync(join(tmpdir(), 'schemas-'));

beforeAll(() => {
  for (const [version, file] of openApi) {
    const folders = crds.filter((folder) => folder !== undefined);
    if (file !== undefined) writeSchemas(file, folders, join(schemas, version));
  }
});

afterAll(() => rmSync(schemas, { recursive: true, force: true }));

/** Has kubeconform judge manifests, strictly; resolves to what it found. */
async function judge(manifests: string, kubernetes: string): Promise<{ code: number; output: string }> {
  const location = join(schemas, kubernetes, SCHEMA_LOCATION);
  const flags = ['-strict', '-summary', '-schema-location', location];
  const { code, stdout, stderr } = await run(kubeconform ?? '', flags, { input: manifests });
  return { code, output: stdout + stderr };
}

test('there are value files for at least ten ways to install', () => {
  expect(valueFiles.length).toBeGreaterThanOrEqual(10);
});

describe.each(['3', '4'])('with Helm %s', (major) => {
  const binary = requireTool(`helm-${major}.*/helm`);

  test.for(valueFiles)('%s passes the linter, and renders what it did before', async (file, { skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    using helm = new Helm(binary);
    const values = join(CHART, file);
    expect(await helm.succeed('lint', '--strict', CHART, '--kube-version', NEWEST, '-f', values)).toContain(
      '0 chart(s) failed',
    );
    const manifests = await helm.template(NEWEST, CHART, '-f', values);
    const golden = join(
      import.meta.dirname,
      'golden',
      basename(file).replace('-values.yaml', '.golden.yaml'),
    );
    await expect(manifests).toMatchFileSnapshot(golden);
  });

  test.for(KUBERNETES.flatMap((version) => valueFiles.map((file) => [file, version] as const)))(
    '%s is valid in Kubernetes %s',
    async ([file, version], { skip }) => {
      if (binary === undefined || kubeconform === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
      using helm = new Helm(binary);
      const manifests = await helm.template(version, CHART, '-f', join(CHART, file));
      const { code, output } = await judge(manifests, version);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toMatch(/Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/);
    },
  );

  test('a Kubernetes that is too old is refused', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    using helm = new Helm(binary);
    expect(await helm.fail('template', 'x', CHART, '--kube-version', '1.24.17')).toContain(
      'kubeVersion: >=1.25.0-0',
    );
  });

  test('the command of the replaced chart makes all that it made, where it made it', async ({ skip }) => {
    if (binary === undefined || kubeconform === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    using helm = new Helm(binary);
    const manifests = await helm.template(
      NEWEST,
      CHART,
      '--set=serviceName=events-to-metrics',
      '--set=serviceNamespace=kaas-events',
      '--set=netpol.ingress.allowedNamespaceMatchLabels={kaas-metrics,kaas-monitoring}',
    );
    expect(await judge(manifests, NEWEST)).toMatchObject({ code: 0 });
    const objects = manifests
      .split(/^---$/m)
      .flatMap((text) => (text.trim() === '' ? [] : [parse(text) as Manifest]));
    expect(
      objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`).sort(),
    ).toEqual([
      'Namespace /kaas-events',
      'NetworkPolicy kaas-events/events-to-metrics',
      'Pod kaas-events/events-to-metrics-test',
      'Service kaas-events/events-to-metrics',
      'ServiceAccount kaas-events/events-to-metrics',
      'ServiceMonitor kaas-events/events-to-metrics',
      'StatefulSet kaas-events/events-to-metrics',
    ]);
    expect(manifests).toContain('values: ["kaas-metrics","kaas-monitoring"]');
  });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

describe('kubeconform', () => {
  const bad = readFileSync(join(import.meta.dirname, 'support/manifests.bad.yaml'), 'utf8');

  test('finds an unknown field, a wrong type and a wrong enum', async ({ skip }) => {
    if (kubeconform === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
    for (const part of bad.split(/^---$/m)) {
      expect(await judge(part, NEWEST)).toMatchObject({
        code: 1,
        output: expect.stringContaining('Invalid: 1') as string,
      });
    }
  });
});
