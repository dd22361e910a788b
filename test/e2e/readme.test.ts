import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Pages whose lines need nothing but a server with the default settings. */
const PAGES = ['README.md', 'docs/ingest/form.md', 'docs/operate/scraping.md'];
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const run = promisify(execFile);

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    if ((process.env['CI'] ?? '') !== '') throw new Error('CI needs curl');
    return false;
  }
}

/** The `curl` lines of a page's `sh` blocks. */
function curlLines(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n').filter((line) => line.startsWith('curl ')));
}

/** Runs the lines one after the other against a new server; returns what each printed. Throws for one that fails. */
async function outputsOf(lines: readonly string[]): Promise<string[]> {
  await using server = await startServer();
  const outputs: string[] = [];
  for (const line of lines) {
    expect(line).toContain('localhost:8090');
    const command = line
      .replace('localhost:8090', `127.0.0.1:${server.port}`)
      .replace('curl ', 'curl --silent --show-error --fail ');
    outputs.push((await run('bash', ['-c', command])).stdout);
  }
  return outputs;
}

it("the README's first lines do what it promises", async ({ skip }) => {
  if (!hasCurl()) throw skip('needs curl');
  const outputs = await outputsOf(curlLines('README.md').slice(0, 3));
  expect(outputs[0]).toBe('{"accepted":1}');
  const sample = 'events_to_metrics{service="api",type="deploy"} 1\n';
  expect(README).toContain(sample.trim());
  expect(outputs[1]).toContain(sample);
  expect(outputs[2]).not.toContain(sample);
});

it.for(PAGES)('the lines of %s work as they stand', async (page, { skip }) => {
  if (!hasCurl()) throw skip('needs curl');
  const lines = curlLines(page);
  expect(await outputsOf(lines)).toHaveLength(lines.length);
});

it('the README shows its lines', () => {
  expect(curlLines('README.md').length).toBeGreaterThan(5);
});
