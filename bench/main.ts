/**
 * Measures the server against floors taken in the same run, and prints a table: what, bar, figure, verdict. Ends with 1 when a bar is
 * missed. Needs two cores, and nothing else running on them.
 *
 *     npm run bench -- --only NDJSON --rounds 7 --seconds 1.5 --steady 600
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { LOADER } from './load.ts';
import type { Measure } from './measure.ts';
import { HEAD, isMet, rowsOf } from './measure.ts';
import { emptyScrapes } from './measures/emptyScrapes.ts';
import { fullLog, pendingMemory } from './measures/memory.ts';
import { firstScrape } from './measures/firstScrape.ts';
import { batches, clientPosting, keyedPosting, manyScrapers, posting } from './measures/posts.ts';
import { compressedScrape, eventLoopDelay, largeScrape } from './measures/scrapes.ts';
import { drain, postingWithSink } from './measures/sinks.ts';
import { starting } from './measures/start.ts';
import { steady } from './measures/steady.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
    steady: { type: 'string', default: '300' },
    save: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(
    '--only measures with this in their names, --rounds (7), --seconds of each take (1), --steady seconds (300), --save file',
  );
} else {
  await measureAll();
}

async function measureAll(): Promise<void> {
  const rounds = Number(values.rounds);
  const effort = { rounds, seconds: Number(values.seconds) };
  const measures: readonly Measure[] = [
    posting(64, { bare: 0.85, durable: 0.95, p99: 1.5 }, effort),
    manyScrapers(effort),
    posting(16, { bare: 0.7, durable: 0.95 }, effort),
    keyedPosting(64, 1.3, effort),
    clientPosting(0.85, effort),
    batches(effort),
    posting(1, { bare: 0, durable: 0.9 }, effort),
    largeScrape('text', 2, rounds),
    largeScrape('protobuf', 3, rounds),
    firstScrape('text', 2.5, rounds),
    firstScrape('protobuf', 2.5, rounds),
    compressedScrape(rounds),
    emptyScrapes('text', rounds),
    emptyScrapes('protobuf', rounds),
    drain(effort),
    postingWithSink(effort),
    eventLoopDelay(rounds),
    pendingMemory(1, 70),
    pendingMemory(50, 70),
    fullLog(rounds),
    starting(rounds),
    steady(Number(values.steady)),
  ];
  const report = [machine(), '', ...HEAD];
  console.log(report.join('\n'));
  for (const measure of measures.filter(({ name }) => name.includes(values.only))) {
    const outcome = await measure.run();
    if (!outcome.figures.every(isMet)) process.exitCode = 1;
    const rows = rowsOf(measure.name, outcome);
    report.push(...rows);
    console.log(rows.join('\n'));
  }
  if (values.save !== '') writeFileSync(values.save, `${report.join('\n')}\n`);
}

function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} GiB, Node ${process.version}, load by ${LOADER}, ${values.rounds} rounds`;
}
