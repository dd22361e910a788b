/** A flood in a process of its own: `node flooder.ts <index> <port> <seconds> <seed>`. SIGUSR2 ends it. Its last line is what it sent. */
import { performance } from 'node:perf_hooks';
import { Random } from '../../faults/random.ts';
import { latestSeconds } from './flood.ts';
import { FLOODS } from './kinds.ts';
import { Tally } from './tally.ts';

/** Floods come from here; legitimate clients do not. */
const LOCAL_ADDRESS = '127.0.0.66';
/** What is still under way at the end gets no longer, in ms. */
const AFTER_MS_MAX = 2_000;

/** The least that a slow machine needs to take what readers read. */
const PREPARE_MS_MAX = 30_000;

const [index, port, seconds, seed] = process.argv.slice(2).map(Number) as [number, number, number, number];
const flood = FLOODS[index];
if (flood === undefined) throw new RangeError(`no flood ${index}`);
const tally = new Tally();
// There is nobody left to send to.
process.once('SIGUSR2', finish);
const unbounded = { answers: 0, deadline: performance.now() + PREPARE_MS_MAX };
const common = { port, localAddress: LOCAL_ADDRESS, random: new Random(seed), tally };
await flood.prepare?.({ ...common, deadline: unbounded.deadline, least: unbounded });
const began = performance.now();
const deadline = began + seconds * 1000;
const latest = began + latestSeconds(flood, seconds) * 1000;
const least = { answers: flood.leastAnswers ?? 0, deadline: latest };
// A server that has stopped to answer does not hold the flood up.
setTimeout(finish, latest - began + AFTER_MS_MAX);
await flood.send({ ...common, deadline, least });
// One that ended before its time lets the others have theirs.
setTimeout(finish, Math.max(0, deadline - performance.now()));

function finish(): void {
  process.stdout.write(`${JSON.stringify(tally.report())}\n`, () => process.exit());
}
