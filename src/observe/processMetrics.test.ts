import { describe, expect, it } from 'vitest';
import type { Family } from '../render/families.ts';
import { ProcessMetrics } from './processMetrics.ts';

const family = ({ families }: { readonly families: readonly Family[] }, name: string): Family | undefined =>
  families.find((each) => each.name === name);
const valueOf = (group: { readonly families: readonly Family[] }, name: string): number | undefined =>
  family(group, name)?.samples[0]?.value;

describe('the metrics of the process', () => {
  it('are those that are described, with the labels that are described', () => {
    const metrics = new ProcessMetrics(() => 0);
    const { families } = metrics.group();
    const described = metrics.describe();
    expect(families.map(({ name, type, help }) => ({ name, type, help }))).toEqual(
      described.map(({ name, type, help }) => ({ name, type, help })),
    );
    for (const { name, labels, type } of described) {
      if (type === 'histogram') continue;
      for (const sample of family({ families }, name)?.samples ?? [])
        expect(sample).toMatchObject({ name, labels: labels.map((label) => ({ name: label })) });
    }
  });

  it('are what Node and Linux tell', () => {
    const before = process.cpuUsage();
    const group = new ProcessMetrics(() => 0).group();
    expect(valueOf(group, 'process_cpu_user_seconds_total')).toBeGreaterThanOrEqual(before.user / 1e6);
    expect(valueOf(group, 'process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1000, -1);
    expect(valueOf(group, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(valueOf(group, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000);
    expect(family(group, 'nodejs_heap_space_size_used_bytes')?.samples).toContainEqual(
      expect.objectContaining({ labels: [{ name: 'space', value: 'old' }] }),
    );
    const [major, minor, patch] = process.version.slice(1).split('.');
    expect(family(group, 'nodejs_version_info')?.samples[0]?.labels.map(({ value }) => value)).toEqual([
      process.version,
      major,
      minor,
      patch,
    ]);
    if (process.platform !== 'linux') return;
    expect(valueOf(group, 'process_virtual_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(valueOf(group, 'process_heap_bytes')).toBeGreaterThan(10_000_000);
    expect(valueOf(group, 'process_open_fds')).toBeGreaterThan(2);
    expect(valueOf(group, 'process_max_fds')).toBeGreaterThan(2);
  });

  it('add up by type to what there is in all', () => {
    const timer = setTimeout(() => undefined, 60_000);
    const group = new ProcessMetrics(() => 0).group();
    clearTimeout(timer);
    for (const name of ['nodejs_active_resources', 'nodejs_active_handles', 'nodejs_active_requests']) {
      const samples = family(group, name)?.samples ?? [];
      expect(valueOf(group, `${name}_total`)).toBe(samples.reduce((sum, { value }) => sum + value, 0));
    }
    expect(family(group, 'nodejs_active_resources')?.samples).toContainEqual(
      expect.objectContaining({ labels: [{ name: 'type', value: 'Timeout' }] }),
    );
  });
});

it('reads once a second at most, and all who ask within share it', () => {
  let now = 10_000;
  const metrics = new ProcessMetrics(() => now);
  const first = metrics.group();
  expect(metrics.group()).toBe(first);
  now += 999;
  expect(metrics.group()).toBe(first);
  now += 1;
  const second = metrics.group();
  expect(second).not.toBe(first);
});
