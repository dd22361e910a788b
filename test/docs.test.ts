import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { withEndpoints } from '../scripts/endpointsTable.ts';
import { metricsMarkdown } from '../scripts/metricsPage.ts';
import { NODE_FLAGS } from '../scripts/nodeFlags.ts';
import { webhookTables } from '../scripts/webhookTables.ts';
import { configMarkdown } from '../src/config/describe.ts';
import type { Mode, Phase } from '../src/core/position.ts';
import type { Evidence, Verdict } from '../src/delivery/settle.ts';
import { judge } from '../src/delivery/settle.ts';

const ROOT = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md', 'charts/*/*.md'], { cwd: ROOT });
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

it('the page of settings is what the table says (npm run docs)', () => {
  expect(read('docs/operate/config.md')).toBe(configMarkdown());
});

it.runIf(process.platform === 'linux')('the page of metrics is what is registered (npm run docs)', () => {
  expect(read('docs/operate/metrics.md')).toBe(metricsMarkdown());
});

it("the README's table of endpoints is the server's (npm run docs)", () => {
  expect(read('README.md')).toBe(withEndpoints(read('README.md')));
});

it("the page of webhooks' labels is what the presets say (npm run docs)", () => {
  expect(read('docs/ingest/webhook-labels.md')).toBe(webhookTables());
});

it('the page on running names the flags of `npm start`', () => {
  expect(read('docs/operate/running.md')).toContain(`bin/node ${NODE_FLAGS.join(' ')} src/main.ts`);
});

/** What the spec calls a verdict. */
const VERDICTS: Record<Verdict, string> = {
  confirm: 'confirm',
  confirmUnproven: 'confirm, unproven',
  return: 'return',
  returnDoubtful: 'return, doubtful',
  again: 'again',
  againOnce: 'again, once',
  drop: 'drop',
  dropAlone: 'drop, if alone',
  hold: 'hold',
};

it('the table of settling in the spec is the one of the code', () => {
  const section = /^## Settling an offer$([\s\S]*?)^## /m.exec(read('docs/spec/delivery.md'))?.[1] ?? '';
  const [[, ...columns] = [], , ...rows] = [...section.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  );
  expect(columns).toHaveLength(4);
  expect(rows).toHaveLength(12);
  for (const [first = '', ...cells] of rows)
    for (const [place, cell] of cells.entries()) {
      const [mode, phase] = (columns[place] ?? '').split(', ') as [Mode, Phase];
      const evidence = first.replaceAll('`', '') as Evidence;
      expect([evidence, mode, phase, cell]).toEqual([
        evidence,
        mode,
        phase,
        VERDICTS[judge(mode, phase, evidence)],
      ]);
    }
});

it('every link between pages leads somewhere', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => ({ page, to })),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ page, to }) => !existsSync(join(ROOT, dirname(page), to)))).toEqual([]);
});

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string): Set<string> =>
  new Set(
    [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

it('every link to a heading finds it', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(([, to = '', anchor = '']) => ({
      page,
      target: to === '' ? page : join(dirname(page), to),
      anchor,
    })),
  );
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter(({ target, anchor }) => !anchorsOf(target).has(anchor))).toEqual([]);
});

it('every alert has a runbook, at a heading of its own', () => {
  const rules = read('deploy/prometheus/rules.yaml');
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  const runbooks = [...rules.matchAll(/runbook_url: (\S+)/g)].map(([, url = '']) => url);
  const blob = 'https://github.com/imuni4fun/oneShotMetricsServer/blob/main/';
  const page = 'docs/operate/alerts.md';
  expect(alerts.length).toBeGreaterThan(5);
  expect(runbooks).toEqual(alerts.map((name) => `${blob}${page}#${name.toLowerCase()}`));
  const headings = new Set([...read(page).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading));
  expect(alerts.filter((name) => !headings.has(name))).toEqual([]);
});

it("every page that Grafana's dashboard links is there", () => {
  const { links } = JSON.parse(read('deploy/grafana/dashboard.json')) as { links: { url: string }[] };
  expect(links.length).toBeGreaterThan(0);
  for (const { url } of links)
    expect(existsSync(join(ROOT, url.split('/blob/main/')[1] ?? 'none')), url).toBe(true);
});

it('every file that ARCHITECTURE.md and docs/spec/delivery.md name is there', () => {
  const named = ['ARCHITECTURE.md', 'docs/spec/delivery.md'].flatMap((page) =>
    [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|sh|md|yaml|json))`/g)].map(
      ([, path = '']) => path,
    ),
  );
  expect(named.length).toBeGreaterThan(100);
  const isThere = (path: string) => existsSync(join(ROOT, path)) || existsSync(join(ROOT, 'src', path));
  expect(named.filter((path) => !isThere(path))).toEqual([]);
});
