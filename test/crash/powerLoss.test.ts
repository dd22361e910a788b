import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { HOW_TO_GET_A_COMPILER, hasCompiler } from '../support/compiler.ts';
import { damagePages, pagesByPlace } from '../support/damage.ts';
import { mulberry32 } from '../support/randomEvents.ts';
import { checkDisks } from './power/disks.ts';
import { Facts } from './power/facts.ts';
import type { Life } from './power/lives.ts';
import { Lives } from './power/lives.ts';
import { KNOWN, Load } from './power/load.ts';

const canRun = hasCompiler();
/** The choices of the disks are made by it; when a process does what is up to the machine. */
const SEED = Number(process.env['POWER_LOSS_SEED'] ?? 51);
const DISKS = Number(process.env['POWER_LOSS_DISKS'] ?? 1500);
/** Pulses end while it runs. */
const FLAGS = [`--scrapers.known=${KNOWN.join(',')}`, '--pulse.width=1s'];
/** Entries go once both scrapers have had them. */
const TRIMMED = '--retention.min=0s';
/** How long a server lives that is stopped and not killed, in ms. */
const STOPPED_AFTER_MS = 1800;

/** The log is damaged after so many deeds, of which a checkpoint is one. */
const DAMAGED_AFTER = 3300;
/** A server that rebuilds the log is killed after so many deeds: it takes posts by then. */
const REBUILT_AFTER = 700;

/** A folder for servers, without symbolic links in its path. */
function temporaryRoot(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'oneshot-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

it(`G1 to G4, G8: of more than ${DISKS} disks that a loss of power may leave, each opens, and keeps what was told`, async (context) => {
  if (!canRun) context.skip(`needs cc: ${HOW_TO_GET_A_COMPILER}`);
  using folder = temporaryRoot();
  const random = mulberry32(SEED);
  const load = new Load(random);
  const lives = new Lives(folder.path, [...FLAGS, TRIMMED]);
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
  const { disks, failed } = await checkDisks(lives.all, { spread: DISKS, atNames: 2 }, random, (deed) => ({
    posts: load.posts,
    told: facts.upTo(deed),
  }));
  console.log(
    `${lives.count} deeds of ${lives.all.length} servers, ${load.posts.length} posts, ${load.scrapes.length} scrapes in ${seconds(played - began)}; ` +
      `${disks} disks in ${seconds(performance.now() - played)}; seed ${SEED}`,
  );
  expect([...failed, ...facts.offeredAgain]).toEqual([]);
});

it('G1 to G4: a loss of power while a damaged log is rebuilt loses nothing that could be read', async (context) => {
  if (!canRun) context.skip(`needs cc: ${HOW_TO_GET_A_COMPILER}`);
  using folder = temporaryRoot();
  const random = mulberry32(SEED);
  const load = new Load(random);
  const lives = new Lives(folder.path, [...FLAGS, TRIMMED]);
  // Killed, so that the -wal has a part of it.
  await lives.live({ killAfter: DAMAGED_AFTER, load: ({ port }) => load.run(port, 0) }, random);
  await lives.live(
    {
      killAfter: REBUILT_AFTER,
      before: (root) => {
        const file = join(root, 'data/events.db');
        // The index has what the table has: nothing is lost with a page of it. What the -wal has would be written over it.
        const inWal = pagesInWal(`${file}-wal`);
        const pages =
          pagesByPlace(file)
            .get('ids leaf')
            ?.filter((page) => !inWal.has(page)) ?? [];
        expect(pages).not.toEqual([]);
        damagePages(file, pages.slice(0, 1));
        rmSync(`${file}-shm`, { force: true });
        writeFileSync(`${file}.rebuild`, 'the test asks for it\n');
      },
      load: ({ port }) => load.run(port, 1),
    },
    random,
  );
  const rebuilding = lives.all[1] as Life;
  expect(rebuilding.deeds).toContainEqual({
    kind: 'rename',
    path: 'data/events.db.new',
    to: 'data/events.db',
  });
  const facts = new Facts(load, lives.all);
  const { disks, failed } = await checkDisks(
    [rebuilding],
    { spread: DISKS / 10, atNames: 6 },
    random,
    (deed) => ({
      posts: load.posts,
      told: facts.upTo(deed),
      mayRepair: true,
    }),
  );
  console.log(`${rebuilding.deeds.length} deeds of a rebuild, ${disks} disks; seed ${SEED}`);
  expect([...failed, ...facts.offeredAgain]).toEqual([]);
});

/** What `store.durability=process` doesn't promise. All else holds: the log opens, goes on, and has nothing twice, and no part of a batch or an id without its event. */
const NOT_PROMISED = [
  /^G1: .* was accepted, and is missing$/,
  /^G2: .* was answered, and is not known$/,
  /^G2: .* is offered .* again$/,
  /^G2, G3: .* never gets /,
  /^G3: .* was shown .*, which is missing$/,
  // The mark beside the database may have been written when that was not.
  /: the end of the log is missing/,
  /^the log ends at \d+, not at its end$/,
];

it('with store.durability=process, a loss of power may take what was answered, and nothing else', async (context) => {
  if (!canRun) context.skip(`needs cc: ${HOW_TO_GET_A_COMPILER}`);
  using folder = temporaryRoot();
  const random = mulberry32(SEED);
  const load = new Load(random);
  const lives = new Lives(folder.path, [...FLAGS, '--store.durability=process']);
  await lives.live({ killAfter: 3000, load: ({ port }) => load.run(port, 0) }, random);
  const facts = new Facts(load, lives.all);
  const { excused, failed } = await checkDisks(
    lives.all,
    { spread: DISKS / 10, atNames: 1 },
    random,
    (deed) => ({ posts: load.posts, told: facts.upTo(deed) }),
    (problem) => NOT_PROMISED.some((pattern) => pattern.test(problem)),
  );
  expect(failed).toEqual([]);
  // So these disks are such as a sync before the answer is for.
  expect(excused).toBeGreaterThan(0);
});

/** The pages, from 0 on, of which a -wal has a newer version: https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
function pagesInWal(file: string): ReadonlySet<number> {
  const wal = readFileSync(file);
  const pages = new Set<number>();
  const salts = wal.subarray(16, 24);
  for (let at = 32; at < wal.length && wal.subarray(at + 8, at + 16).equals(salts); at += 24 + 4096)
    pages.add(wal.readUInt32BE(at) - 1);
  return pages;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
