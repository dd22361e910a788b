import type { Millis } from '../../../core/millis.ts';

/**
 * Makes a body what its mapping is written for, where a mapping can't say it. Both throw a RefusedError for what the sender's documentation
 * rules out: of the body, nothing can be read then; of an item, it alone.
 */
export interface Shape {
  /** The whole body, before its items are looked for. */
  readonly body: (document: unknown) => unknown;
  /** One item. */
  readonly item: (item: unknown, now: Millis) => unknown;
  /** Whether all of a body is looked at, and not only what the mapping points at. */
  readonly readsAll: boolean;
}

/** The body as it came. */
export const asItCame: Shape = { body: (document) => document, item: (item) => item, readsAll: false };
