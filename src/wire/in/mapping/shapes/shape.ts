import type { Millis } from '../../../../core/millis.ts';

/**
 * Makes a body what its mapping is written for, where a mapping can't say it. Throws a RefusedError for a body that the sender's
 * documentation rules out.
 */
export type Shape = (document: unknown, now: Millis) => unknown;

/** The body as it came. */
export const asItCame: Shape = (document) => document;
