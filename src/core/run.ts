import type { Entry } from './entry.ts';

/** Entries that follow each other in the log, not held as objects: what is made of them is, and most of them are never looked at again. */
export interface Run {
  readonly length: number;
  /** Whether others get this very run, too: what is made of it is worth keeping with it. */
  readonly isShared: boolean;
  /** Its entries, made anew at each call. */
  entries(): readonly Entry[];
}

/** A run of entries that are at hand. */
export function runOf(entries: readonly Entry[]): Run {
  return { length: entries.length, isShared: false, entries: () => entries };
}

/** The entries of several runs, in order. */
export function entriesOf(runs: readonly Run[]): readonly Entry[] {
  const [only] = runs;
  if (only === undefined) return [];
  return runs.length === 1 ? only.entries() : runs.flatMap((run) => run.entries());
}
