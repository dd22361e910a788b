import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { curlLines, hasCurl, runShown } from '../support/docsPage.ts';
import { startServer } from '../support/server.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

it("the README's own lines work as they stand, with the results that it promises", async ({ skip }) => {
  if (!hasCurl()) throw skip('needs curl');
  await using server = await startServer();
  const lines = curlLines('README.md');
  expect(lines.length).toBeGreaterThan(5);
  const outputs: string[] = [];
  for (const { command } of lines) outputs.push(await runShown(command, server.port, '--fail'));
  expect(outputs[0]).toBe('{"accepted":1}');
  const sample = 'events_to_metrics{service="api",type="deploy"} 1\n';
  expect(README).toContain(sample.trim());
  expect(outputs[1]).toContain(sample);
  expect(outputs[2]).not.toContain(sample);
});
