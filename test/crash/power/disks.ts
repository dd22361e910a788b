import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Expected } from './check.ts';
import { layOut, problemsOf } from './check.ts';
import type { Fate } from './disk.ts';
import { Disk } from './disk.ts';
import type { Life } from './lives.ts';

export interface Checked {
  readonly disks: number;
  /** Those that break no more than what may be broken. */
  readonly excused: number;
  /** One line for each disk that breaks what was told, and what it breaks. */
  readonly failed: readonly string[];
}

const FAILED_MAX = 5;
/** How many disks are checked. */
export interface Many {
  /** At moments that are evenly spread. */
  readonly spread: number;
  /** After each of some deeds that follow a change of a name. */
  readonly atNames: number;
}

const NAMES_DEEDS = 12;
const DATA = ['dropped', 'writes', 'sectors', 'pages', 'kept'] as const;
const NAMES = ['dropped', 'ordered', 'any', 'kept'] as const;

/**
 * Plays what servers did, and checks disks that a loss of power may have left in the meantime. `expectedAt` says what others had been told by the deeds up to one,
 * and `mayBe` which problem is none.
 */
export async function checkDisks(
  lives: readonly Life[],
  { spread, atNames }: Many,
  random: () => number,
  expectedAt: (deed: number) => Expected,
  mayBe: (problem: string) => boolean = () => false,
): Promise<Checked> {
  const count = lives.reduce((sum, { deeds }) => sum + deeds.length, 0);
  const scratch = scratchFolder();
  const failed: string[] = [];
  let disks = 0;
  let excused = 0;
  let played = 0;
  let checked = 0;
  let deedsOfNames = 0;
  let disk = new Disk(new Map());
  const check = async (where: string, expected: Expected) => {
    const fate = anyFate(random);
    layOut(disk.afterPowerLoss(fate), scratch);
    const all = await problemsOf(join(scratch, 'data'), expected);
    const problems = all.filter((problem) => !mayBe(problem));
    disks += 1;
    if (all.length > 0 && problems.length === 0) excused += 1;
    const { data, names, fill } = fate;
    if (problems.length > 0)
      failed.push(`${where} (data ${data}, names ${names}, ${fill}): ${problems.slice(0, 4).join('; ')}`);
  };
  try {
    for (const [number, { first, deeds, found }] of lives.entries()) {
      if (found === undefined) disk.endProcess();
      else disk = new Disk(found);
      for (const [index, deed] of deeds.entries()) {
        const { namesChanged } = disk;
        disk.do(deed);
        if (disk.namesChanged > namesChanged) deedsOfNames = NAMES_DEEDS;
        let here = deedsOfNames > 0 ? atNames : 0;
        deedsOfNames -= 1;
        played += 1;
        for (; checked < Math.floor((played / count) * spread); checked += 1) here += 1;
        if (here === 0) continue;
        const expected = expectedAt(first + index);
        for (; here > 0; here -= 1)
          await check(`server ${number}, after deed ${index}, ${deed.kind}`, expected);
        if (failed.length >= FAILED_MAX) return { disks, excused, failed };
      }
    }
    return { disks, excused, failed };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function anyFate(random: () => number): Fate {
  const one = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  return { random, data: one(DATA), names: one(NAMES), fill: one(['zeros', 'garbage']) };
}

/** In memory, where there is such a folder: a disk would take longer for each of thousands. */
function scratchFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return mkdtempSync('/dev/shm/oneshot-');
  } catch {
    return mkdtempSync(join(tmpdir(), 'oneshot-'));
  }
}
