import { expect, it } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
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

it('as many wait as may, in their order, and one more is refused', async () => {
  const turns = new ClientTurns(64);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (n: number) =>
    turns.take('a', () => {
      begun.push(n);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const all = Array.from({ length: 68 }, (_, n) => work(n));
  await expect(work(68)).rejects.toThrow(UnavailableError);
  expect(begun).toEqual([0, 1, 2, 3]);
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(begun).toEqual(Array.from({ length: 68 }, (_, n) => n));
  expect(await turns.take('b', async () => 'yes')).toBe('yes');
});
