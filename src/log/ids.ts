import type { Millis } from '../core/millis.ts';

/** The ids of events that came lately. They come with the entries that they belong to: see `EntryLog.append`. */
export interface Ids {
  /** Those of the ids that are remembered. An id is known at the latest when its `append` resolves, and until it is forgotten. */
  knownIds(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /**
   * Counts those of the ids that are known, and arrived before a moment, as arrived now: they are forgotten so much later. Resolves once that
   * is durable.
   */
  refreshIds(ids: readonly string[], arrivedBefore: Millis, now: Millis): Promise<void>;

  /**
   * Forgets the ids that arrived before a moment, and of the others the oldest, until no more than `idsMax` are left. Resolves with
   * how many of those others were forgotten.
   */
  forgetIds(arrivedBefore: Millis, idsMax: number): Promise<number>;
}
