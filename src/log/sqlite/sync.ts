import { fdatasync, fdatasyncSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Makes durable what was written to a file, for so many who wait. */
export type Sync = (file: FileHandle, waiting: number) => Promise<void>;

/** What syncs are made of. */
interface SyncSteps {
  /** Syncs a file by its descriptor, and lets nothing else run meanwhile. */
  readonly blocking: (descriptor: number) => void;
  /** Syncs it in the thread pool. */
  readonly pooled: (descriptor: number) => Promise<void>;
  /** In ms, from any moment on. */
  readonly now: () => number;
}

const STEPS: SyncSteps = {
  blocking: fdatasyncSync,
  pooled: promisify(fdatasync),
  now: () => performance.now(),
};

/** More who wait share the cost of the thread pool, so that it does not count. */
const BLOCKING_WAITING_MAX = 32;
/** A sync that takes longer, in ms, is slow: the event loop should not wait for it. */
const SLOW_MS = 1;
/** After a slow sync none blocks for this many times as long as it took, twice as long after a second, and so on, … */
const PAUSE_FACTOR = 4;
/** … but no longer than this, in ms: a slow disk is tried again once in that time. */
const PAUSE_MS_MAX = 60_000;
/** So many fast ones make up for a slow one: every disk hesitates now and then. */
const FAST_FOR_SLOW = 16;

/**
 * Syncs at the least cost. The way through the thread pool and back takes more processor time than a fast disk's sync, and nothing
 * else of the event loop is kept waiting for long by one of those. So where few wait, and the disk was fast the last time, a sync
 * blocks; else it runs in the thread pool. Decision 0001 has what was measured.
 */
export function leastCostSync({ blocking, pooled, now }: SyncSteps = STEPS): Sync {
  let pausedUntil = -Infinity;
  /** Slow syncs that no fast ones have made up for. */
  let slow = 0;
  return async (file, waiting) => {
    const began = now();
    if (waiting > BLOCKING_WAITING_MAX || began < pausedUntil) {
      await pooled(file.fd);
      return;
    }
    blocking(file.fd);
    const ended = now();
    if (ended - began <= SLOW_MS) {
      slow = Math.max(0, slow - 1 / FAST_FOR_SLOW);
    } else {
      pausedUntil = ended + Math.min((ended - began) * PAUSE_FACTOR * 2 ** slow, PAUSE_MS_MAX);
      slow += 1;
    }
  };
}
