import { expect, it } from 'vitest';
import { ProcessMetrics } from './processMetrics.ts';

it('tells what prom-client tells of a process', async () => {
  const metrics = new ProcessMetrics(() => 0);
  const { families } = await metrics.group();
  expect(families.map(({ name }) => name)).toEqual(metrics.describe().map(({ name }) => name));
  const memory = families.find(({ name }) => name === 'process_resident_memory_bytes');
  expect(memory).toMatchObject({ type: 'gauge', samples: [{ labels: [] }] });
  expect(memory?.samples[0]?.value).toBeGreaterThan(1_000_000);
});

it('reads once a second at most, and all who ask within share it', async () => {
  let now = 10_000;
  const metrics = new ProcessMetrics(() => now);
  const [first, together] = await Promise.all([metrics.group(), metrics.group()]);
  expect(together).toBe(first);
  now += 999;
  expect(await metrics.group()).toBe(first);
  now += 1;
  const second = await metrics.group();
  expect(second).not.toBe(first);
});
