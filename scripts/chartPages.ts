import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';
import { groupsOf } from '../src/config/names.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { withMonitorBlocks } from './monitorBlocks.ts';

const CHART = join(import.meta.dirname, '../charts/oneShotMetricsServer');
const HOW_TO_SCRAPE = join(import.meta.dirname, '../docs/operate/prometheus.md');
/** What Helm makes of the chart with its defaults; a test of the chart keeps it so. */
const RENDERED = join(import.meta.dirname, '../test/chart/golden/default.golden.yaml');
const DEPLOY = join(import.meta.dirname, '../deploy');
const BEGIN = '<!-- values: made from values.yaml by `npm run docs` -->\n';
const END = '<!-- end of values -->\n';

/** A page, and what should be in it. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/**
 * The chart's files that are made from others: its README from its values, its schema from the table of settings. What Helm
 * is to package must be below the chart, so the rules and the dashboard are copies of those in deploy/. And the ServiceMonitor on
 * the page about Prometheus, which is the chart's.
 */
export async function chartPages(): Promise<readonly Page[]> {
  const made = await Promise.all([
    page(join(CHART, 'README.md'), readme),
    page(join(CHART, 'values.schema.json'), schema),
    page(HOW_TO_SCRAPE, (current) => withMonitorBlocks(current, readFileSync(RENDERED, 'utf8'))),
  ]);
  return [...made, copy('prometheus/rules.yaml'), copy('grafana/dashboard.json')];
}

function copy(original: string): Page {
  const text = readFileSync(join(DEPLOY, original), 'utf8');
  return { path: join(CHART, 'files', basename(original)), text };
}

async function page(path: string, make: (current: string) => string): Promise<Page> {
  const options = { ...(await resolveConfig(path)), filepath: path };
  return { path, text: await format(make(readFileSync(path, 'utf8')), options) };
}

function readme(current: string): string {
  const head = current.slice(0, current.indexOf(BEGIN) + BEGIN.length);
  const tail = current.slice(current.indexOf(END));
  const rows = describedValues(readFileSync(join(CHART, 'values.yaml'), 'utf8')).map(
    ({ path, meaning, value }) =>
      `| \`${path}\` | ${meaning.replaceAll('|', '\\|')} | \`${JSON.stringify(value)}\` |`,
  );
  return `${head}\n| Value | Meaning | Default |\n| --- | --- | --- |\n${rows.join('\n')}\n\n${tail}`;
}

export interface DescribedValue {
  /** As `--set` takes it: `server.image`. */
  readonly path: string;
  readonly meaning: string;
  readonly value: unknown;
}

/** The values that have a comment which begins with `# --`, in their order. */
export function describedValues(yaml: string): readonly DescribedValue[] {
  const values: unknown = parse(yaml);
  const described: DescribedValue[] = [];
  const parents: string[] = [];
  let meaning: string[] | undefined;
  for (const line of yaml.split('\n')) {
    const comment = /^ *# (-- )?(.*)$/.exec(line);
    if (comment !== null) {
      const [, begins, text = ''] = comment;
      meaning = begins === undefined ? meaning?.concat(text) : [text];
      continue;
    }
    const key = /^((?: {2})*)(\w+):/.exec(line);
    if (key !== null) {
      const [, indent = '', name = ''] = key;
      parents.splice(indent.length / 2, Infinity, name);
      const path = parents.join('.');
      if (meaning !== undefined)
        described.push({ path, meaning: meaning.join(' '), value: valueAt(values, parents) });
    }
    meaning = undefined;
  }
  return described;
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], values);
}

/** What other values of the chart set. */
export const SET_BY_THE_CHART: ReadonlySet<string> = new Set([
  'server.port',
  'config.file',
  'web.config.file',
  'auth.tokens.file',
  'log.level',
  'store.path',
  'store.url',
  'store.urlFile',
  'scrapers.identity',
  'kubernetes.namespace',
]);

/** The schema is written by hand, except for `config`: an unknown setting is refused before it can stop a pod. */
function schema(current: string): string {
  const values = JSON.parse(current) as { properties: Record<string, unknown> };
  // A group that is a setting itself has members of its own, which the server checks.
  const groups = groupsOf(SETTINGS).map(
    ([group, keys]) => [group, Object.hasOwn(SETTINGS, group) ? OBJECT : groupSchema(keys)] as const,
  );
  values.properties['config'] = {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      groups.filter(([, { properties }]) => properties === undefined || Object.keys(properties).length > 0),
    ),
  };
  return JSON.stringify(values);
}

/** What the schema says of a group; without `properties` it leaves them to the server. */
interface GroupSchema {
  readonly type: 'object';
  readonly additionalProperties?: false;
  readonly properties?: Readonly<Record<string, unknown>>;
}

const OBJECT: GroupSchema = { type: 'object' };

function groupSchema(keys: readonly string[]): GroupSchema {
  const settable = keys.filter((key) => !SET_BY_THE_CHART.has(key));
  const properties = settable.map((key) => [key.slice(key.indexOf('.') + 1), { $ref: '#/$defs/setting' }]);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties) as Record<string, unknown>,
  };
}
