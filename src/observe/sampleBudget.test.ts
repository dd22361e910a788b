import { expect, it } from 'vitest';
import { millis } from '../core/millis.ts';
import { SampleBudget } from './sampleBudget.ts';

function budget() {
  let now = 10_000;
  const samples = new SampleBudget(() => millis(now));
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

it('goes on by a clock that is set back', () => {
  const { samples, pass } = budget();
  expect(samples.take(40_000)).toBe(true);
  pass(-5_000);
  expect(samples.take(1)).toBe(false);
  pass(1_000);
  expect(samples.take(20_000)).toBe(true);
  expect(samples.take(1)).toBe(false);
});
