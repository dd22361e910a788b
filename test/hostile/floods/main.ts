/**
 * Floods: what a stranger can send, at full speed, against a real server in a small heap. For each kind it prints what was sent, what
 * that cost, how legitimate clients fared meanwhile, and whether the server started again on what was left. Ends with 1 if any row
 * fails. It needs Linux, some 2 GiB of disk in the folder for temporary files, and two cores.
 *
 *     npm run test:hostile                                  one or two floods of each kind, some twenty minutes
 *     npm run test:hostile -- --only 1                      all floods of kind 1
 *     npm run test:hostile -- --only 2 --only 'never read'  kind 2, and all that have this in their names
 *     npm run test:hostile -- --all                         all floods of all kinds
 *
 *     --seconds <n>       how long each flood sends (10)
 *     --heap <MiB>        the server's heap (256), or `default` for Node's own
 *     --rss <MiB>         the bar for its resident memory (twice the heap; none with --heap default)
 *     --seed <n>          what is sent follows from it (1)
 *     --large             the full log has 1,000,000 entries, and not 250,000: 9 GiB of disk
 *     --server <folder>   the checkout whose server is tested (this one)
 *     --output <file>     the table goes there, too
 *     --list              names all floods
 *     --forget            removes the full logs that are kept for the next run
 *
 * Each flood runs in a process of its own, and so do a scraper (each second, timed protobuf), a poster (an event each second under an
 * id, tried again as a good client does) and health checks (every 50 ms). They come from addresses of their own within 127.0.0.0/8.
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitOnSignals } from '../../support/atExit.ts';
import type { Flood } from './flood.ts';
import { forgetLogs } from './fullLogs.ts';
import { FLOODS } from './kinds.ts';
import type { Playing } from './play.ts';
import { play } from './play.ts';
import { tableHead, tableLine } from './table.ts';
import { problemsOf } from './verdict.ts';

const SECONDS_MAX = 3600;
const HEAP_MAX = 65_536;
/** Several processes at once end when this one does. */
const EXIT_LISTENERS_MAX = 50;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true, default: [] },
    all: { type: 'boolean', default: false },
    heap: { type: 'string', default: '256' },
    rss: { type: 'string' },
    seed: { type: 'string', default: '1' },
    large: { type: 'boolean', default: false },
    server: { type: 'string', default: join(import.meta.dirname, '../../..') },
    output: { type: 'string' },
    list: { type: 'boolean', default: false },
    forget: { type: 'boolean', default: false },
  },
});

exitOnSignals();
process.setMaxListeners(EXIT_LISTENERS_MAX);
if (values.forget) await forgetLogs();
else if (values.list)
  for (const { kind, name, isUsual } of FLOODS)
    console.log(`${kind}\t${name}${isUsual === true ? '' : ' (--all)'}`);
else process.exitCode = await playAll();

async function playAll(): Promise<number> {
  const heapMebibytes = values.heap === 'default' ? undefined : numberOf('heap', values.heap, HEAP_MAX);
  const playing: Playing = {
    seconds: numberOf('seconds', values.seconds, SECONDS_MAX),
    seed: numberOf('seed', values.seed, 2 ** 32 - 1),
    heapMebibytes,
    checkout: resolve(values.server),
    isLarge: values.large,
  };
  const twice = heapMebibytes === undefined ? undefined : 2 * heapMebibytes;
  const rssMebibytes = values.rss === undefined ? twice : numberOf('rss', values.rss, HEAP_MAX);
  const wanted = FLOODS.filter(isWanted);
  if (wanted.length === 0)
    throw new RangeError(
      `--only ${values.only.join(' --only ')}: no flood has this number or name; see --list`,
    );
  const lines = [tableHead()];
  console.log(tableHead());
  const failed: string[] = [];
  for (const flood of wanted) {
    const { line, isWell } = await playOne(flood, playing, rssMebibytes);
    lines.push(line);
    console.log(line);
    if (!isWell) failed.push(`${flood.kind} ${flood.name}`);
  }
  const sum = `${wanted.length} floods of ${playing.seconds} s, heap ${values.heap}, seed ${playing.seed}: ${failed.length} failed`;
  console.log(`\n${sum}${failed.map((name) => `\n- ${name}`).join('')}`);
  if (values.output !== undefined) await writeFile(values.output, `${lines.join('\n')}\n\n${sum}\n`);
  return failed.length === 0 ? 0 : 1;
}

async function playOne(
  flood: Flood,
  playing: Playing,
  rssMebibytes: number | undefined,
): Promise<{ line: string; isWell: boolean }> {
  try {
    const row = await play(flood, playing);
    const problems = problemsOf(row, { rssMebibytes });
    return { line: tableLine(row, problems), isWell: problems.length === 0 };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      line: `| ${flood.kind} | ${flood.name} | ${'- | '.repeat(9)}**FAILED**: could not be played: ${why} |`,
      isWell: false,
    };
  }
}

function isWanted({ kind, name, isUsual }: Flood): boolean {
  if (values.only.length === 0) return values.all || isUsual === true;
  return values.only.some((only) => (/^\d+$/.test(only) ? kind === Number(only) : name.includes(only)));
}

function numberOf(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!(value > 0 && value <= max)) throw new RangeError(`--${name} ${text}: from above 0 to ${max}`);
  return value;
}
