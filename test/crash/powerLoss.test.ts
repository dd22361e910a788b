import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { HOW_TO_GET_A_COMPILER, hasCompiler } from '../support/compiler.ts';
import { mulberry32 } from '../support/randomEvents.ts';
import { checkDisks } from './power/disks.ts';
import { Facts } from './power/facts.ts';
import { Lives } from './power/lives.ts';
import { KNOWN, Load } from './power/load.ts';

const canRun = hasCompiler();
/** The choices of the disks are made by it; when a process does what is up to the machine. */
const SEED = Number(process.env['POWER_LOSS_SEED'] ?? 51);
const DISKS = Number(process.env['POWER_LOSS_DISKS'] ?? 2000);
/** Entries are trimmed once both have had them, and pulses end while it runs. */
const FLAGS = [`--scrapers.known=${KNOWN.join(',')}`, '--retention.min=0s', '--pulse.width=1s'];
/** How long a server lives that is stopped and not killed, in ms. */
const STOPPED_AFTER_MS = 1800;

/** A folder for servers, without symbolic links in its path. */
function temporaryRoot(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'oneshot-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

it(`G1 to G4, G8: of ${DISKS} disks that a loss of power may leave, each opens, and keeps what was told`, async (context) => {
  if (!canRun) context.skip(`needs cc: ${HOW_TO_GET_A_COMPILER}`);
  using folder = temporaryRoot();
  const random = mulberry32(SEED);
  const load = new Load(random);
  const lives = new Lives(folder.path, FLAGS);
  const began = performance.now();
  const plans = [
    { killAfter: 3500 },
    { killAfter: 0 },
    { killAfter: 3000, losesPower: true },
    { killAfter: 3000 },
  ];
  for (const [life, plan] of plans.entries()) {
    let running = Promise.resolve();
    await lives.live(
      {
        ...plan,
        load: async ({ port }) => {
          if (life > 0) await load.retry(port, life);
          running = load.run(port, life);
          if (plan.killAfter === 0) await sleep(STOPPED_AFTER_MS);
          else await running;
        },
      },
      random,
    );
    await running;
  }
  const played = performance.now();
  const facts = new Facts(load, lives.all);
  const { disks, failed } = await checkDisks(lives.all, DISKS, random, (deed) => ({
    posts: load.posts,
    told: facts.upTo(deed),
  }));
  console.log(
    `${lives.count} deeds of ${lives.all.length} servers, ${load.posts.length} posts, ${load.scrapes.length} scrapes in ${seconds(played - began)}; ` +
      `${disks} disks in ${seconds(performance.now() - played)}; seed ${SEED}`,
  );
  expect(failed).toEqual([]);
});

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
