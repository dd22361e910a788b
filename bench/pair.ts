/**
 * Puts this checkout beside another one, or beside itself with other flags for Node, both at once on one core. What slows the machine down
 * slows both down alike, so that a hundredth can be seen where servers that run in turn differ by a third. Counted is what each does in the
 * time of the processor that it got.
 *
 *     npm run bench:pair -- --base ../before
 *     npm run bench:pair -- --flags='--max-semi-space-size=32'
 *
 * In the other checkout `npm ci` was done. Each is started with its own `npm start`'s flags; `--flags` come behind those of this one, and may contradict them.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Folder, ours } from './candidates.ts';
import { NDJSON, lines } from './events.ts';
import type { Load } from './load.ts';
import { post } from './load.ts';
import { ROOT } from './server.ts';
import type { MeasuredServer } from './server.ts';
import { quantile } from './statistics.ts';

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: ROOT },
    flags: { type: 'string', default: '' },
    pairs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '2' },
  },
});

const seconds = Number(values.seconds);
const LOADS: Readonly<Record<string, Load>> = {
  'POST, 64 connections': { path: '/event?type=deploy&service=api&version=1.2.3', connections: 64, seconds },
  'POST, 16 connections': { path: '/event?type=deploy&service=api&version=1.2.3', connections: 16, seconds },
  'NDJSON, 100 a request': {
    path: '/event',
    connections: 16,
    seconds,
    body: { text: lines(0, 100), type: NDJSON },
  },
};

using folder = new Folder();

/** Requests in a millisecond of the processor. */
async function take(server: MeasuredServer, load: Load): Promise<number> {
  const before = server.cpuMs;
  const { perSecond, failed } = await post(server.url, load, folder);
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return (perSecond * load.seconds) / (server.cpuMs - before);
}

const known = ['--scrapers.known=s'];
const ratios: Record<string, number[]> = Object.fromEntries(Object.keys(LOADS).map((name) => [name, []]));
// One process is not like another: what the compiler makes of the same code differs by some hundredths.
for (let pair = 0; pair < Number(values.pairs); pair += 1) {
  await using base = await ours(folder, known, { checkout: resolve(values.base) });
  await using changed = await ours(folder, known, { nodeFlags: values.flags.split(' ').filter(Boolean) });
  for (const [name, load] of Object.entries(LOADS)) {
    await Promise.all([take(base, load), take(changed, load)]);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const [before, after] = await Promise.all([take(base, load), take(changed, load)]);
      ratios[name]?.push(after / before);
    }
  }
}
for (const [name, all] of Object.entries(ratios)) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(all, share).toFixed(3));
  console.log(`${name.padEnd(24)}${middle}  (half of ${all.length} rounds: ${low} to ${high})`);
}
