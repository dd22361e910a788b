import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { chartPages, describedValues } from '../../scripts/chartPages.ts';

const CHART = join(import.meta.dirname, '../../charts/oneShotMetricsServer');
const read = (path: string) => readFileSync(join(CHART, path), 'utf8');

/** The paths of all leaves: what is no map, an empty map, or a map that is described as a whole. */
function leaves(value: unknown, described: ReadonlySet<string>, path = ''): readonly string[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap || described.has(path)) return [path];
  return Object.entries(value).flatMap(([key, part]) =>
    leaves(part, described, path === '' ? key : `${path}.${key}`),
  );
}

it("the chart's README, schema, rules and dashboard, and its ServiceMonitor in the docs, are what their sources say (npm run docs)", async () => {
  const pages = await chartPages();
  expect(pages).toHaveLength(5);
  for (const { path, text } of pages) expect(readFileSync(path, 'utf8')).toBe(text);
});

it('every value is described', () => {
  const described = describedValues(read('values.yaml'));
  const paths = described.map(({ path }) => path);
  expect(paths.length).toBeGreaterThan(80);
  expect(leaves(parse(read('values.yaml')), new Set(paths))).toEqual(paths);
});

it('the schema knows each value, and no other', () => {
  const paths = describedValues(read('values.yaml')).map(({ path }) => path);
  const inSchema = properties(JSON.parse(read('values.schema.json')) as Schema, new Set(paths));
  expect([...inSchema].sort()).toEqual([...paths].sort());
});

it('a release of the chart runs the image of the same version', () => {
  const { version, appVersion, annotations } = parse(read('Chart.yaml')) as Record<string, string> & {
    annotations: Record<string, string>;
  };
  const server = JSON.parse(readFileSync(join(CHART, '../../package.json'), 'utf8')) as { version: string };
  expect({ version, appVersion }).toEqual({ version: server.version, appVersion: server.version });
  expect(annotations['artifacthub.io/images']).toContain(`oneshotmetricsserver:${server.version}\n`);
});

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The paths of a schema's properties, down to those that are described. */
function properties(
  root: Schema,
  described: ReadonlySet<string>,
  schema = root,
  path = '',
): readonly string[] {
  const { properties: parts } =
    schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? {});
  if (parts === undefined || described.has(path)) return [path];
  return Object.entries(parts).flatMap(([key, part]) =>
    properties(root, described, part, path === '' ? key : `${path}.${key}`),
  );
}
