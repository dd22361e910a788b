import { defineConfig } from 'vitest/config';

/** How long `expect.poll` waits: a busy machine needs seconds to start a process. */
const POLL = { poll: { timeout: 15_000 } };

/** Hostile input, where it is time and memory that are looked at. */
const MEASURES = ['test/hostile/memory.test.ts', 'test/hostile/growth.test.ts', 'test/hostile/cost.test.ts'];

/**
 * Two kinds of tests. `fast` runs at every commit (`npm run check`); `slow` starts real processes: crash, fuzz, Prometheus.
 * One file at a time in `slow`: they measure nothing, but they share two cores and real ports.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            'src/**/*.test.ts',
            'test/contract/**/*.test.ts',
            'test/model/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'test/http/**/*.test.ts',
            'test/hostile/**/*.test.ts',
            'test/image/dockerfile.test.ts',
            'test/image/probe.test.ts',
            'test/chart/pages.test.ts',
            'test/architecture.test.ts',
            'test/build.test.ts',
            'test/docs.test.ts',
            'test/workflows.test.ts',
          ],
          exclude: [...MEASURES],
          testTimeout: 30_000,
          expect: POLL,
        },
      },
      {
        test: {
          name: 'slow',
          include: [
            'test/fuzz/**/*.test.ts',
            'test/crash/**/*.test.ts',
            'test/e2e/**/*.test.ts',
            'test/faults/**/*.test.ts',
            ...MEASURES,
          ],
          // The scenarios of the fault suite mostly wait, so all of a file may run at once.
          maxConcurrency: 16,
          fileParallelism: false,
          testTimeout: 600_000,
          expect: POLL,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'chart',
          include: ['test/chart/**/*.test.ts', 'test/image/**/*.test.ts'],
          exclude: ['test/image/dockerfile.test.ts', 'test/image/probe.test.ts', 'test/chart/pages.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
