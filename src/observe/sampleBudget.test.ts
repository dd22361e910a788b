import { expect, it } from 'vitest';
import { SampleBudget } from './sampleBudget.ts';

function budget() {
  let now = 10_000;
  const samples = new SampleBudget(() => now);
  return { samples, pass: (ms: number) => void (now += ms) };
}

it('grants 40,000 samples at once, and 20,000 in each second after that', () => {
  const { samples, pass } = budget();
  for (let i = 0; i < 400; i += 1) expect(samples.take(100)).toBe(true);
  expect(samples.take(100)).toBe(false);
  pass(4);
  expect(samples.take(100)).toBe(false);
  pass(1);
  expect(samples.take(100)).toBe(true);
  expect(samples.take(100)).toBe(false);
  pass(1_000_000);
  expect(samples.take(40_000)).toBe(true);
  expect(samples.take(1)).toBe(false);
});
