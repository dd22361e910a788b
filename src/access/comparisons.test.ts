import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { Bcrypt } from './bcrypt.ts';
import { Comparisons } from './comparisons.ts';
import { PasswordsWaitingError } from './error.ts';

const HASH = hashSync('right', 4);
const nothing = () => undefined;

/** What came of comparisons, in the order in which it did, with real bcrypt. */
async function outcomes(asked: readonly (readonly [client: string, password: string])[]): Promise<string[]> {
  await using bcrypt = new Bcrypt();
  const comparisons = new Comparisons(bcrypt.compare);
  const order: string[] = [];
  await Promise.all(
    asked.map(async ([client, password]) => {
      const told = await new Promise((resolve) => {
        resolve(comparisons.run(client, password, HASH, nothing));
      }).then(String, (error: unknown) => (error instanceof PasswordsWaitingError ? 'busy' : String(error)));
      order.push(`${client} ${told}`);
    }),
  );
  return order;
}

const flood = (client: string, count: number) =>
  Array.from({ length: count }, (_, n) => [client, `${n}`] as const);

it('clients take turns: one who guesses a lot waits for itself', async () => {
  const order = await outcomes([...flood('evil', 9), ['good', 'right']]);
  expect(order.indexOf('good true')).toBeLessThanOrEqual(2);
  expect(order.filter((each) => each === 'evil false')).toHaveLength(9);
});

it('no client has more than its places, and the rest is refused at once', async () => {
  const order = await outcomes(flood('evil', 100));
  expect(order.filter((each) => each === 'evil busy')).toHaveLength(91);
  expect(order.slice(0, 90)).not.toContain('evil false');
});

it('where all places are taken, who has most gives one up to who has fewer', async () => {
  const asked = [...flood('a', 20), ...flood('b', 20), ['good', 'right'] as const];
  const order = await outcomes(asked);
  expect(order).toContain('good true');
  // One that ran, and 16 that waited.
  expect(order.filter((each) => !each.endsWith('busy'))).toHaveLength(17);
});

it('what is refused before the work takes no place', async () => {
  const comparisons = new Comparisons(() => new Promise(nothing));
  const refuse = () => {
    throw new Error('too many guesses');
  };
  for (let n = 0; n < 100; n += 1)
    expect(() => comparisons.run('a', 'x', HASH, refuse)).toThrow('too many guesses');
  void comparisons.run('a', 'x', HASH, nothing);
});

it('an error of one is no error of the next', async () => {
  let calls = 0;
  const comparisons = new Comparisons(async () => {
    calls += 1;
    if (calls === 1) throw new Error('the thread ended');
    return true;
  });
  const first = comparisons.run('a', 'x', HASH, nothing);
  const second = comparisons.run('a', 'y', HASH, nothing);
  await expect(first).rejects.toThrow('the thread ended');
  expect(await second).toBe(true);
});
