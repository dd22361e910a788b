import type { FileHandle } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { leastCostSync } from './sync.ts';

const FILE = { fd: 7 } as FileHandle;

/** A disk whose syncs take a while, and a count of how each was made. */
function aDisk(ms: number) {
  let now = 0;
  const made: string[] = [];
  const sync = leastCostSync({
    blocking: (descriptor) => {
      made.push(`blocking ${descriptor}`);
      now += disk.ms;
    },
    pooled: async (descriptor) => {
      made.push(`pooled ${descriptor}`);
      now += disk.ms;
    },
    now: () => now,
  });
  const disk = {
    ms,
    made,
    sync: (waiting = 1) => sync(FILE, waiting),
    pass: (span: number) => (now += span),
  };
  return disk;
}

async function syncs(disk: ReturnType<typeof aDisk>, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await disk.sync();
}

const blocking = (made: readonly string[]) => made.filter((one) => one === 'blocking 7').length;

describe('the sync of least cost', () => {
  test('blocks while the disk is fast and few wait', async () => {
    const disk = aDisk(0.2);
    await syncs(disk, 1000);
    expect(blocking(disk.made)).toBe(1000);
  });

  test('takes up to a millisecond for fast, and no more', async () => {
    const [fast, slow] = [aDisk(1), aDisk(1.125)];
    await syncs(fast, 1000);
    expect(blocking(fast.made)).toBe(1000);
    await syncs(slow, 1000);
    expect(blocking(slow.made)).toBeLessThan(20);
  });

  test('runs in the thread pool where many wait', async () => {
    const disk = aDisk(0.2);
    await disk.sync(32);
    await disk.sync(33);
    expect(disk.made).toEqual(['blocking 7', 'pooled 7']);
  });

  test('a slow disk is tried again after pauses that grow up to a minute', async () => {
    const disk = aDisk(10);
    await disk.sync();
    disk.pass(35);
    await disk.sync();
    expect(disk.made).toEqual(['blocking 7', 'pooled 7']);
    await disk.sync();
    expect(blocking(disk.made)).toBe(2);
    // An hour of it.
    await syncs(disk, 360_000);
    expect(blocking(disk.made)).toBeLessThan(80);
    expect(blocking(disk.made)).toBeGreaterThan(60);
  });

  test('one slow sync among many fast ones is a short pause, however often it comes', async () => {
    const disk = aDisk(0.2);
    for (let turn = 0; turn < 20; turn += 1) {
      disk.ms = 1;
      await disk.sync();
      disk.ms = 0.2;
      disk.pass(5);
      await syncs(disk, 20);
    }
    expect(blocking(disk.made)).toBe(420);
  });

  test('a disk that is slow every other time is left to the thread pool', async () => {
    const disk = aDisk(0.2);
    for (let turn = 0; turn < 10_000; turn += 1) {
      disk.ms = 10.2 - disk.ms;
      await disk.sync();
    }
    expect(blocking(disk.made)).toBeLessThan(50);
  });

  test('a disk that became fast again is used so', async () => {
    const disk = aDisk(10);
    await syncs(disk, 1000);
    disk.ms = 0.2;
    disk.pass(60_000);
    disk.made.length = 0;
    await syncs(disk, 10);
    expect(blocking(disk.made)).toBe(10);
  });

  test.each([1, 100])('fails as the sync does, where %i wait', async (waiting) => {
    const sync = leastCostSync({
      blocking: () => {
        throw new Error('EIO');
      },
      pooled: () => Promise.reject(new Error('EIO')),
      now: () => 0,
    });
    await expect(sync(FILE, waiting)).rejects.toThrow('EIO');
  });
});
