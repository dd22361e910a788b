import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** Work that ends when the test says so. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let isRunning = false;
  const work = () => {
    isRunning = true;
    return promise;
  };
  return { work, end: resolve, fail: reject, isRunning: () => isRunning };
}

const turnsPass = async () => {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
};

test('calls of different ids run at once, those that share one run one after the other', async () => {
  const turns = new Turns();
  const [a, b, ab, c] = [held(), held(), held(), held()];
  const all = [
    turns.take(['a'], a.work),
    turns.take(['b'], b.work),
    turns.take(['b', 'a'], ab.work),
    turns.take(['c'], c.work),
  ];
  await turnsPass();
  expect([a, b, ab, c].map((each) => each.isRunning())).toEqual([true, true, false, true]);
  b.end('b');
  await turnsPass();
  expect(ab.isRunning()).toBe(false);
  a.end('a');
  await turnsPass();
  expect(ab.isRunning()).toBe(true);
  ab.end('ab');
  c.end('c');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'ab', 'c']);
  expect(turns.size).toBe(0);
});

test('one that fails gives its place to the next', async () => {
  const turns = new Turns();
  const [first, second] = [held(), held()];
  const failed = turns.take(['a'], first.work);
  const next = turns.take(['a'], second.work);
  first.fail(new Error('no room'));
  await expect(failed).rejects.toThrow('no room');
  await turnsPass();
  expect(second.isRunning()).toBe(true);
  second.end('stored');
  expect(await next).toBe('stored');
  expect(turns.size).toBe(0);
});

test('calls whose ids overlap in every way never wait for each other', async () => {
  const turns = new Turns();
  const order: number[] = [];
  const ids = ['a', 'b', 'c', 'd'];
  const calls = Array.from({ length: 200 }, (_, n) => {
    const some = ids.filter((_id, i) => ((n * 7) >> i) % 2 === 1);
    return turns.take(n % 2 === 0 ? some : some.toReversed(), async () => {
      order.push(n);
      await turnsPass();
      if (n % 3 === 0) throw new Error('failed');
    });
  });
  const outcomes = await Promise.allSettled(calls);
  expect(order).toHaveLength(200);
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(67);
  expect(turns.size).toBe(0);
});

test('an id that one call names twice does not make it wait for itself', async () => {
  expect(await new Turns().take(['a', 'a'], async () => 'done')).toBe('done');
});
