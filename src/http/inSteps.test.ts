import { setImmediate } from 'node:timers';
import { expect, it } from 'vitest';
import { inSteps } from './inSteps.ts';

function* busyFor(ms: number, steps: number): Generator<void, string> {
  for (let step = 0; step < steps; step += 1) {
    const until = performance.now() + ms;
    while (performance.now() < until);
    yield;
  }
  return 'done';
}

/** How many others had a turn while work was done. */
async function turnsDuring(work: Generator<void, string>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    turns += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  expect(await inSteps(work)).toBe('done');
  isOver = true;
  return turns;
}

it('lets others have their turns where work takes long, and not where it is soon done', async () => {
  expect(await turnsDuring(busyFor(5, 6))).toBeGreaterThanOrEqual(5);
  expect(await turnsDuring(busyFor(0, 1_000))).toBeLessThan(5);
});

it('fails as the work does', async () => {
  function* failing(): Generator<void, string> {
    yield;
    throw new Error('no');
  }
  await expect(inSteps(failing())).rejects.toThrow('no');
});
