import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/server.ts';
import { QuietTurns } from './quietTurns.ts';

/** As a busy machine has it: a timer may come late, and never more than 1 ms early. */
const PAUSE_MS_MIN = 99;

/** Two ends of a real connection in this process. Of a Unix socket: what was written to it can be read at once, however busy the machine. */
async function connection(): Promise<{ here: Socket; there: Socket; [Symbol.dispose](): void }> {
  const folder = temporaryFolder();
  const path = join(folder.path, 's');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const here = connect(path);
  const [there] = (await once(server, 'connection')) as [Socket];
  return {
    here,
    there,
    [Symbol.dispose]: () => {
      here.destroy();
      there.destroy();
      server.close();
      folder[Symbol.dispose]();
    },
  };
}

it('does nothing while the loop is busy, and all of it once it is not', async () => {
  using ends = await connection();
  let isBusy = true;
  let steps = 0;
  const quiet = new QuietTurns(() => (steps += 1) <= 50);
  ends.there.on('data', (bytes) => void ends.there.write(bytes));
  // As requests come: one behind the other.
  ends.here.on('data', (bytes) => {
    const until = performance.now() + 1;
    while (performance.now() < until);
    if (isBusy) ends.here.write(bytes);
  });
  ends.here.write('x');
  quiet.start();
  await sleep(500);
  expect(steps).toBe(0);
  isBusy = false;
  await expect.poll(() => steps, { timeout: 20_000 }).toBeGreaterThan(50);
  quiet.stop();
});

it('lets what came during a step go first, and waits until the loop is quiet again', async () => {
  using ends = await connection();
  const told: { what: 'step' | 'came'; at: number }[] = [];
  const tell = (what: 'step' | 'came') => void told.push({ what, at: performance.now() });
  const quiet = new QuietTurns(() => {
    tell('step');
    // What the kernel has by the end of the step is there in the turn behind it.
    ends.here.write('x');
    return true;
  });
  ends.there.on('data', () => tell('came'));
  quiet.start();
  await expect.poll(() => told.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(6);
  quiet.stop();
  expect(told.slice(0, 6).map(({ what }) => what)).toEqual(['step', 'came', 'step', 'came', 'step', 'came']);
  const steps = told.filter(({ what }) => what === 'step').map(({ at }) => at);
  for (const [i, at] of steps.slice(1).entries())
    expect(at - (steps[i] as number)).toBeGreaterThanOrEqual(PAUSE_MS_MIN);
});

it('does step after step while nothing comes, with a turn between any two', async () => {
  let steps = 0;
  let turns = 0;
  const without: number[] = [];
  const quiet = new QuietTurns(
    () => {
      without.push(turns);
      turns = 0;
      steps += 1;
      setImmediate(() => (turns += 1));
      return steps < 10;
    },
    { worked: () => 0, events: () => 0 },
  );
  quiet.start();
  await expect.poll(() => steps, { timeout: 20_000 }).toBe(10);
  quiet.stop();
  expect(without.slice(1)).toEqual(Array(9).fill(1));
});

it('looks again for work, until it is stopped, and then again once it is started', async () => {
  let looks = 0;
  const quiet = new QuietTurns(
    () => {
      looks += 1;
      return false;
    },
    { worked: () => 0.25, events: () => 0 },
  );
  quiet.start();
  quiet.start();
  await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  quiet.stop();
  const before = looks;
  await sleep(250);
  expect(looks).toBe(before);
  quiet.start();
  await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(before);
  quiet.stop();
});
