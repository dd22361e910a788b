import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';

/** Which entries an id stands for: so many, from the first on. */
export interface IdPlace {
  readonly first: Offset;
  readonly count: number;
}

/** An id of some of the entries that it comes with: of so many, from an index among them on. */
export interface NewId {
  readonly id: string;
  readonly at: number;
  readonly count: number;
}

/** An id is known by now that was not when it was asked for, since another server has stored it meanwhile. Nothing of the call was stored. */
export class IdTakenError extends Error {
  override readonly name = 'IdTakenError';
}

/** The ids of events that came lately. They come with the entries that they belong to: see `EntryLog.append`. */
export interface Ids {
  /**
   * Those of the ids that are remembered, each with its place; undefined where that is not known, since an older version wrote it or it was
   * damaged. An id is known at the latest when its `append` resolves, and until it is forgotten.
   */
  knownIds(ids: readonly string[]): Promise<ReadonlyMap<string, IdPlace | undefined>>;

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
