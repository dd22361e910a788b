import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ShownCommand } from '../support/docsPage.ts';
import { curlLines, hasCurl, runShown } from '../support/docsPage.ts';
import { startServer } from '../support/server.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Pages whose lines need nothing but a server with the default settings. */
const PAGES = ['README.md', 'docs/ingest/form.md', 'docs/ingest/receipts.md', 'docs/operate/scraping.md'];
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Runs the lines one after the other against a new server; resolves to what each printed. Rejects for one that fails. */
async function outputsOf(lines: readonly ShownCommand[]): Promise<string[]> {
  await using server = await startServer();
  const outputs: string[] = [];
  for (const { command } of lines) outputs.push(await runShown(command, server.port, '--fail'));
  return outputs;
}

it("the README's first lines do what it promises", async ({ skip }) => {
  if (!hasCurl()) throw skip('needs curl; on Debian: apt-get install curl');
  const outputs = await outputsOf(curlLines('README.md').slice(0, 4));
  expect(outputs[0]).toMatch(/^\{"accepted":1,"eventId":"e1-\w+"\}$/);
  const sample = 'events_to_metrics{service="api",type="deploy"} 1\n';
  expect(README).toContain(sample.trim());
  expect(outputs[1]).toContain(sample);
  expect(outputs[2]).toContain(sample);
  expect(outputs[3]).not.toContain(sample);
});

it.for(PAGES)('the lines of %s work as they stand', async (page, { skip }) => {
  if (!hasCurl()) throw skip('needs curl; on Debian: apt-get install curl');
  const lines = curlLines(page);
  expect(await outputsOf(lines)).toHaveLength(lines.length);
});

it('the README shows its lines', () => {
  expect(curlLines('README.md').length).toBeGreaterThan(5);
});
