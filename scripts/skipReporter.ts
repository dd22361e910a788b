import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** The variable that names the file to write. */
export const SKIPPED_FILE = 'TEST_SKIPPED_FILE';

/** A test that did not run. */
export interface Skipped {
  /** The path of its file. */
  readonly file: string;
  /** What the test says it needs. */
  readonly reason: string;
}

/** Writes which tests were skipped, and why: vitest's own JSON report has no reasons. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env[SKIPPED_FILE];
    if (file === undefined) return;
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test): Skipped => {
        const result = test.result();
        const note = result.state === 'skipped' ? result.note : undefined;
        const [, needs] = /\((needs .*?)\)/.exec(test.fullName) ?? [];
        return { file: module.moduleId, reason: note ?? needs ?? 'they were not asked for' };
      }),
    );
    writeFileSync(file, JSON.stringify(skipped));
  }
}
