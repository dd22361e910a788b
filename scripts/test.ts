/**
 * What `npm test` runs: every test through vitest, then as its last line `N passed, N failed, N skipped`.
 * Arguments go on to vitest: `npm test -- --project fast`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Skipped } from './skipReporter.ts';
import { SKIPPED_FILE } from './skipReporter.ts';

/** What is read here of vitest's JSON report. */
interface Report {
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  /** The file's path. */
  readonly name: string;
  /** Failed also where the file did not load, or a hook of it threw. */
  readonly status: 'passed' | 'failed';
  readonly assertionResults: readonly { readonly status: string }[];
}

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const NODE_MAJOR_MIN = 24;
const root = fileURLToPath(new URL('..', import.meta.url));

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  console.error(`This is Node ${process.versions.node}: run it through npm, which uses the pinned Node.`);
  process.exitCode = 1;
} else {
  const folder = await mkdtemp(join(tmpdir(), 'test-report-'));
  try {
    const file = join(folder, 'report.json');
    const skippedFile = join(folder, 'skipped.json');
    const content = await vitest(file, skippedFile, process.argv.slice(2));
    tellSkipped((await readJson<readonly Skipped[]>(skippedFile)) ?? []);
    const count = sum(await readJson<Report>(file), content);
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs vitest on this very Node; resolves to whether it was content. */
async function vitest(reportFile: string, skippedFile: string, extra: readonly string[]): Promise<boolean> {
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  reporters.push(`--reporter=${join(root, 'scripts/skipReporter.ts')}`);
  const options = `${process.env['NODE_OPTIONS'] ?? ''} --disable-warning=ExperimentalWarning`.trim();
  const child = spawn(process.execPath, [program, 'run', ...reporters, ...extra], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: options, [SKIPPED_FILE]: skippedFile },
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('SIGINT', pass).off('SIGTERM', pass);
  return code === 0;
}

/** Undefined where the file is not there: vitest ended before it wrote it. */
async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Names each reason once, with how many tests it stopped, and in which files. */
function tellSkipped(all: readonly Skipped[]): void {
  for (const [reason, skipped] of Map.groupBy(all, (each) => each.reason)) {
    const files = [...new Set(skipped.map(({ file }) => relative(root, file)))];
    console.log(`skipped ${skipped.length}: ${reason}\n  in ${files.join(', ')}`);
  }
}

/** Adds up all files. */
function sum(outcome: Report | undefined, content: boolean): Count {
  const total: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const result of outcome?.testResults ?? []) {
    const count = countOf(result);
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  // An error outside of any test, or no report at all: vitest's own output has said which. No tests is no failure of one.
  if (!content && total.failed === 0 && outcome?.testResults.length !== 0) total.failed = 1;
  return total;
}

/** A file that failed without a failing test counts as one failure. */
function countOf(result: FileResult): Count {
  const of = (status: string): number =>
    result.assertionResults.filter((test) => test.status === status).length;
  const passed = of('passed');
  const failed = of('failed');
  return {
    passed,
    failed: result.status === 'failed' ? Math.max(failed, 1) : failed,
    skipped: result.assertionResults.length - passed - failed,
  };
}
