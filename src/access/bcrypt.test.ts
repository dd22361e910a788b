import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { Bcrypt } from './bcrypt.ts';

it('compares in another thread: this one goes on meanwhile', async () => {
  await using bcrypt = new Bcrypt();
  const hash = hashSync('secret', 11);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 5);
  const [right, wrong, asHtpasswd] = await Promise.all([
    bcrypt.compare('secret', hash),
    bcrypt.compare('other', hash),
    bcrypt.compare('secret', hash.replace('$2b$', '$2y$')),
  ]);
  clearInterval(timer);
  expect({ right, wrong, asHtpasswd }).toEqual({ right: true, wrong: false, asHtpasswd: true });
  expect(turns).toBeGreaterThan(5);
});

it('fails those who wait when it ends, and begins anew', async () => {
  const bcrypt = new Bcrypt();
  const waiting = bcrypt.compare('secret', hashSync('secret', 12));
  await bcrypt[Symbol.asyncDispose]();
  await expect(waiting).rejects.toThrow('ended');
  expect(await bcrypt.compare('secret', hashSync('secret', 4))).toBe(true);
  await bcrypt[Symbol.asyncDispose]();
});
