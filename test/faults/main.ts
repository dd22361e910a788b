/**
 * The long fault suite: each fault alone, then seeded mixtures for minutes, with every Prometheus. Prints a table, and ends with 1
 * when an event was lost or came twice that should not have.
 *
 *     npm run test:faults -- --minutes 2 --seed 1 --only 'mixture, proxy'
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitOnSignals } from '../support/atExit.ts';
import { NetworkNamespaces, Wire, requireNamespaces } from '../support/networkNamespaces.ts';
import { runAll } from './run.ts';
import type { Row, Scenario } from './scenario.ts';
import { IMPOSSIBLE, alone, mixtures } from './scenarios.ts';
import { tableHead, tableLine } from './table.ts';

const ALONE_SECONDS = 40;
const MINUTES_MAX = 120;
const JOBS_MAX = 16;
/** Any rate will do to see how a wire is slowed here. */
const SLOW_BITS = 1_000_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    format: { type: 'string', default: '' },
    jobs: { type: 'string', default: '6' },
    everywhere: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

exitOnSignals();
if (values.help) {
  console.log(
    '--minutes of each mixture (2), --seed (1), --only what has this in its name, --format that begins so, --jobs at once (6), --everywhere: each fault alone with every Prometheus, too',
  );
} else {
  const minutes = numberOf('minutes', values.minutes, MINUTES_MAX);
  const seed = numberOf('seed', values.seed, 2 ** 32 - 1);
  const seconds = minutes * 60;
  const jobs = numberOf('jobs', values.jobs, JOBS_MAX);
  const wanted = [
    ...alone(Math.min(ALONE_SECONDS, seconds), seed, values.everywhere),
    ...mixtures(seconds, seed),
  ].filter(({ name, format }) => name.includes(values.only) && format.startsWith(values.format));
  if (IMPOSSIBLE.length > 0)
    console.log(`left out, since this machine can't play it: ${IMPOSSIBLE.join('; ')}`);
  if (requireNamespaces()) {
    using made = NetworkNamespaces.create('how');
    console.log(`the wire is slowed by ${new Wire(made.server).slow(SLOW_BITS, 1)}`);
  }
  console.log(`${wanted.length} scenarios, seed ${seed}, ${jobs} at once\n${tableHead()}`);
  const rows = await runAll(wanted, jobs, (row) => console.log(tableLine(row)));
  await report(rows, wanted);
  // Outright: Node was seen to wait for ever for sockets that were reset, when it ends by itself (`CleanupHandles`).
  process.exit();
}

function numberOf(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!(value > 0 && value <= max)) throw new RangeError(`--${name} ${text}: from above 0 to ${max}`);
  return value;
}

/** Sums up, and keeps the server's log of what went wrong. */
async function report(rows: readonly Row[], scenarios: readonly Scenario[]): Promise<void> {
  const bad = rows.filter(({ problems }) => problems.length > 0);
  const events = rows.reduce((sum, row) => sum + row.events, 0);
  console.log(`\n${rows.length} scenarios, ${events} events, ${bad.length} scenarios with problems`);
  if (bad.length === 0 && rows.length > 0) return;
  process.exitCode = 1;
  const folder = await mkdtemp(join(tmpdir(), 'faults-'));
  for (const [index, row] of rows.entries()) {
    if (row.problems.length === 0) continue;
    const file = join(folder, `${index}.log`);
    await writeFile(file, `${JSON.stringify(scenarios[index])}\n${row.problems.join('\n')}\n\n${row.log}`);
    console.log(`${row.fault}, ${row.format}, ${row.version}: ${file}`);
  }
}
