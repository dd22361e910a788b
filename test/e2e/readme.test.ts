import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
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

it("the README's own lines work as they stand, with the results that it promises", async ({ skip }) => {
  if (!hasCurl()) throw skip('needs curl');
  await using server = await startServer();
  const blocks = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.split('\n').filter((line) => line.startsWith('curl ')));
  expect(lines.length).toBeGreaterThan(5);
  const outputs: string[] = [];
  for (const line of lines) {
    expect(line).toContain('localhost:8090');
    const command = line.replace('localhost:8090', `127.0.0.1:${server.port}`);
    const { stdout } = await run('bash', [
      '-c',
      command.replace('curl ', 'curl --silent --show-error --fail '),
    ]);
    outputs.push(stdout);
  }
  expect(outputs[0]).toBe('{"accepted":1}');
  const sample = 'events_to_metrics{service="api",type="deploy"} 1\n';
  expect(README).toContain(sample.trim());
  expect(outputs[1]).toContain(sample);
  expect(outputs[2]).not.toContain(sample);
});
