import { describe, expect, it } from 'vitest';
import { Passwords } from './passwords.ts';

const USERS = new Map([
  ['alice', 'hash of a'],
  ['bob', 'hash of b'],
]);

/** Passwords whose comparisons are counted. */
function counted() {
  const compared: string[] = [];
  const passwords = new Passwords(async (password, hash) => {
    compared.push(`${password} with ${hash}`);
    return hash === `hash of ${password}`;
  }, new Uint8Array(32));
  const check = (user: string, password: string, users: ReadonlyMap<string, string> = USERS) =>
    passwords.check(
      users,
      user,
      password,
      () => 'client',
      () => undefined,
    );
  return { compared, check, passwords };
}

describe('a password', () => {
  it('opens for its own user only', async () => {
    const { check } = counted();
    expect([await check('alice', 'a'), await check('alice', 'b'), await check('bob', 'a')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is compared once, whether right or wrong', async () => {
    const { check, compared } = counted();
    for (let i = 0; i < 3; i += 1) await check('alice', 'a');
    for (let i = 0; i < 3; i += 1) await check('alice', 'x');
    expect(compared).toEqual(['a with hash of a', 'x with hash of a']);
  });

  it('is compared once for all who ask at the same moment', async () => {
    const { check, compared } = counted();
    expect(await Promise.all([check('alice', 'a'), check('alice', 'a')])).toEqual([true, true]);
    expect(compared).toHaveLength(1);
  });

  it('of a user who does not exist costs a comparison all the same, and never opens', async () => {
    const { check, compared } = counted();
    expect([await check('mallory', 'a'), await check('mallory', 'a')]).toEqual([false, false]);
    expect(compared).toEqual(['a with hash of a']);
  });

  it('that was changed is compared anew, and the old one opens no longer', async () => {
    const { check } = counted();
    expect(await check('alice', 'a')).toBe(true);
    const changed = new Map([['alice', 'hash of n']]);
    expect([await check('alice', 'a', changed), await check('alice', 'n', changed)]).toEqual([false, true]);
  });

  it('that is right stays remembered, however many wrong ones come', async () => {
    const { check, compared } = counted();
    await check('alice', 'a');
    for (let i = 0; i < 1_000; i += 1) await check('alice', `wrong ${i}`);
    compared.length = 0;
    expect(await check('alice', 'a')).toBe(true);
    expect(compared).toEqual([]);
    await check('alice', 'wrong 0');
    expect(compared).toHaveLength(1);
  });

  it('is not compared where that would be one too many', async () => {
    const { passwords, compared } = counted();
    const tooMany = () => {
      throw new Error('too many');
    };
    await expect(passwords.check(USERS, 'alice', 'a', () => 'client', tooMany)).rejects.toThrow('too many');
    expect(compared).toEqual([]);
  });
});
