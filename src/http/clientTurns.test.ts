import { expect, it } from 'vitest';
import { ClientTurns } from './clientTurns.ts';

it('four are made at once, then clients take turns; one that fails hands its turn on', async () => {
  const turns = new ClientTurns();
  const began: string[] = [];
  const ends: (() => void)[] = [];
  const made = (client: string) =>
    turns.take(client, async () => {
      began.push(client);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (client === 'a') throw new Error('gone');
    });
  const all = Promise.allSettled(['a', 'a', 'a', 'a', 'a', 'a', 'b'].map(made));
  await new Promise(setImmediate);
  expect(began).toEqual(['a', 'a', 'a', 'a']);
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise(setImmediate);
  }
  await all;
  expect(began.slice(4)).toEqual(['a', 'b', 'a']);
  await expect(turns.take('c', () => Promise.resolve(1))).resolves.toBe(1);
});
