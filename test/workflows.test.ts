import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const workflows = globSync('.github/workflows/*.yaml', { cwd: ROOT });

describe.each(workflows)('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');

  test('pins every action by its commit, and says which version that is', () => {
    const uses = [...text.matchAll(/^ *-? *uses: (.*)$/gm)].map(([, used = '']) => used);
    expect(uses.length).toBeGreaterThan(0);
    const loose = uses.filter((used) => !used.startsWith('./') && !/@[0-9a-f]{40} # v\d/.test(used));
    expect(loose).toEqual([]);
  });

  test('may read the contents and nothing else, but for what a job asks', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(text).not.toMatch(/write-all|pull_request_target/);
  });

  test('hands nothing that others can write into a shell as text', () => {
    const scripts = [...text.matchAll(/^ *-? *run: (?:\|\n(?<block>(?: {10}.*\n|\n)+)|(?<line>.*))$/gm)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const { groups } of scripts) expect(groups?.['block'] ?? groups?.['line']).not.toContain('${{');
  });

  test('bounds each job that has steps in time', () => {
    const jobs = text
      .slice(text.indexOf('\njobs:'))
      .split(/\n {2}(?=[a-z]+:\n)/)
      .slice(1);
    expect(jobs.length).toBeGreaterThan(0);
    const endless = jobs.filter((job) => job.includes('steps:') && !job.includes('timeout-minutes:'));
    expect(endless).toEqual([]);
  });
});

test('the package names the repository that it is built in, as npm demands of one with provenance', () => {
  const { repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    repository: { url: string };
  };
  const chart = readFileSync(join(ROOT, 'charts/oneShotMetricsServer/Chart.yaml'), 'utf8');
  expect(repository.url).toBe(`git+${/^home: (.*)$/m.exec(chart)?.[1]}.git`);
});

test('the release tests before it publishes, and signs what it publishes', () => {
  const text = readFileSync(join(ROOT, '.github/workflows/release.yaml'), 'utf8');
  expect(text).toContain('uses: ./.github/workflows/ci.yaml');
  for (const wanted of [
    'provenance: mode=max',
    'sbom: true',
    'cosign sign',
    '--provenance',
    'id-token: write',
  ])
    expect(text).toContain(wanted);
});
