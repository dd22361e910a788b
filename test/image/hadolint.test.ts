import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../chart/support/helm.ts';
import { HOW_TO_GET_CHART_TOOLS, requireTool } from '../chart/support/tools.ts';
import { ROOT } from './dockerfile.ts';

const hadolint = requireTool('hadolint-*/hadolint');

test('hadolint has nothing to say about the Dockerfile', async ({ skip }) => {
  if (hadolint === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
  expect(await run(hadolint, [join(ROOT, 'Dockerfile')])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('it would have, about one that fetches and runs as root', async ({ skip }) => {
  if (hadolint === undefined) throw skip(HOW_TO_GET_CHART_TOOLS);
  const { code, stdout } = await run(hadolint, ['-'], {
    input: 'FROM node:latest\nUSER root\nENTRYPOINT node main.js\n',
  });
  expect(code).toBe(1);
  for (const rule of ['DL3007', 'DL3002', 'DL3025']) expect(stdout).toContain(rule);
});
