import { expect, it } from 'vitest';
import { turnsDuring } from '../../test/support/eventLoop.ts';
import { LoopTurns } from './loopTurns.ts';

function* busyFor(ms: number, steps: number): Generator<void, string> {
  for (let step = 0; step < steps; step += 1) {
    const until = performance.now() + ms;
    while (performance.now() < until);
    yield;
  }
  return 'done';
}

it('lets others have their turns where work takes long', async () => {
  const loop = new LoopTurns();
  const work = async () => expect(await loop.run(busyFor(5, 6))).toBe('done');
  expect(await turnsDuring(work)).toBeGreaterThanOrEqual(5);
});

it('does at once what is soon done', () => {
  expect(new LoopTurns().run(busyFor(0, 10))).toBe('done');
});

it('shares a turn among all who have work', async () => {
  const loop = new LoopTurns();
  const all = () => Promise.all(Array.from({ length: 10 }, async () => loop.run(busyFor(5, 3))));
  // Each of the 30 steps takes more than a turn has.
  expect(await turnsDuring(all)).toBeGreaterThanOrEqual(28);
});

it('does several small ones in one turn, behind a large one', async () => {
  const loop = new LoopTurns();
  const large = loop.run(busyFor(5, 2));
  const small = () =>
    Promise.all([large, ...Array.from({ length: 100 }, async () => loop.run(busyFor(0, 2)))]);
  expect(await turnsDuring(small)).toBeLessThan(20);
});

it('does what has no steps in turns of their own', async () => {
  const loop = new LoopTurns();
  const once = () => {
    const until = performance.now() + 5;
    while (performance.now() < until);
    return 'done';
  };
  const all = async () =>
    expect(await Promise.all(Array.from({ length: 10 }, async () => loop.once(once)))).toEqual(
      Array.from({ length: 10 }, () => 'done'),
    );
  expect(await turnsDuring(all)).toBeGreaterThanOrEqual(9);
});

it('waits while connections arrive, and gets a share all the same', async () => {
  const loop = new LoopTurns();
  const work = () => loop.run(busyFor(5, 6));
  const began = performance.now();
  const turns = await turnsDuring(work, () => loop.accepted());
  // Between two slices are many turns, of which each could accept a connection.
  expect(turns).toBeGreaterThan(100);
  expect(performance.now() - began).toBeGreaterThan(5 * 12);
});

it('fails as the work does, and goes on with the next', async () => {
  const loop = new LoopTurns();
  function* failing(): Generator<void, string> {
    yield;
    throw new Error('no');
  }
  const large = loop.run(busyFor(5, 2));
  const failed = loop.run(failing());
  const next = loop.run(busyFor(0, 1));
  await expect(failed).rejects.toThrow('no');
  expect(await Promise.all([large, next])).toEqual(['done', 'done']);
  expect(() => new LoopTurns().run(failing())).toThrow('no');
});
