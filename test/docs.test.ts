import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { metricsMarkdown } from '../scripts/metricsPage.ts';
import { webhookTables } from '../scripts/webhookTables.ts';
import { configMarkdown } from '../src/config/describe.ts';

const ROOT = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT });
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

it('the page of settings is what the table says (npm run docs)', () => {
  expect(read('docs/operate/config.md')).toBe(configMarkdown());
});

it.runIf(process.platform === 'linux')('the page of metrics is what is registered (npm run docs)', () => {
  expect(read('docs/operate/metrics.md')).toBe(metricsMarkdown());
});

it("the page of webhooks' labels is what the presets say (npm run docs)", () => {
  expect(read('docs/ingest/webhook-labels.md')).toBe(webhookTables());
});

it('every link between pages leads somewhere', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => ({ page, to })),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ page, to }) => !existsSync(join(ROOT, dirname(page), to)))).toEqual([]);
});
