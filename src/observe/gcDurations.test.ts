import { expect, it } from 'vitest';
import { GcDurations } from './gcDurations.ts';

const samplesOf = (durations: GcDurations) =>
  durations
    .samples('gc')
    .map(({ name, labels, value }) => `${name} ${labels.map((label) => label.value).join(' ')} ${value}`);

it('counts collections by what they took, each in all buckets that reach so far', () => {
  const durations = new GcDurations();
  expect(durations.samples('gc')).toEqual([]);
  durations.add('minor', 0.001);
  durations.add('minor', 0.5);
  durations.add('minor', 7);
  expect(samplesOf(durations)).toEqual([
    'gc_bucket 0.001 minor 1',
    'gc_bucket 0.01 minor 1',
    'gc_bucket 0.1 minor 1',
    'gc_bucket 1 minor 2',
    'gc_bucket 2 minor 2',
    'gc_bucket 5 minor 2',
    'gc_bucket +Inf minor 3',
    'gc_sum minor 7.501',
    'gc_count minor 3',
  ]);
});

it('sees those of V8', async () => {
  const durations = new GcDurations();
  // A collection of the young generation comes after some MB of garbage; nobody can say how many.
  for (let round = 0; round < 1_000 && durations.samples('gc').length === 0; round += 1) {
    Array.from({ length: 10_000 }, (_, i) => ({ i }));
    await new Promise(setImmediate);
  }
  expect(samplesOf(durations).at(-1)).toMatch(/^gc_count (?:minor|major|incremental|weakcb) [1-9]/);
});
