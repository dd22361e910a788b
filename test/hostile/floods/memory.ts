import { performance } from 'node:perf_hooks';
import type { Target } from './target.ts';
import { waitedForCore } from './waited.ts';

const EVERY_MS = 100;

/** Resident memory over a flood, in MiB. */
export interface MemorySeen {
  readonly most: number;
  /** The mean of the third quarter and of the last. */
  readonly third: number;
  readonly last: number;
  /** How long the process was there to be looked at. */
  readonly seconds: number;
  /** The share of the time in which the main thread waited for a core. */
  readonly waited: number;
}

/** Looks at a server's memory until it is stopped. */
export function watchMemory(target: Target): () => MemorySeen {
  const samples: { readonly at: number; readonly now: number }[] = [];
  let most = 0;
  const began = performance.now();
  const waitedBefore = waitedForCore(target.pid);
  let waitedMs = 0;
  const look = (): void => {
    const memory = target.memory();
    if (memory === undefined) return;
    most = Math.max(most, memory.most);
    waitedMs = waitedForCore(target.pid) - waitedBefore;
    samples.push({ at: performance.now() - began, now: memory.now });
  };
  const timer = setInterval(look, EVERY_MS);
  return () => {
    look();
    clearInterval(timer);
    const whole = samples.at(-1)?.at ?? 0;
    const mean = (from: number, to: number): number => {
      const those = samples.filter(({ at }) => at >= from * whole && at <= to * whole);
      return those.reduce((sum, { now }) => sum + now, 0) / those.length;
    };
    return {
      most,
      third: mean(0.5, 0.75),
      last: mean(0.75, 1),
      seconds: whole / 1000,
      waited: waitedMs / whole,
    };
  };
}
