import { expect, it } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
import { Looks } from './looks.ts';

it('four look at once, sixty-four wait in their order, and one more is refused', async () => {
  const looks = new Looks();
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const look = (n: number) =>
    looks.take(() => {
      begun.push(n);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const all = Array.from({ length: 68 }, (_, n) => look(n));
  await expect(look(68)).rejects.toThrow(UnavailableError);
  expect(begun).toEqual([0, 1, 2, 3]);
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  expect(begun).toEqual(Array.from({ length: 68 }, (_, n) => n));
  await looks.take(async () => undefined);
});

it('whose work fails gives his turn on', async () => {
  const looks = new Looks();
  const fails = () => looks.take(() => Promise.reject(new Error('no')));
  for (let n = 0; n < 10; n += 1) await expect(fails()).rejects.toThrow('no');
  expect(await looks.take(async () => 'yes')).toBe('yes');
});
