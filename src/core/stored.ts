/* Numbers beyond these were never written: whoever reads them back reads damage. */

/**
 * Offsets, versions of a scraper's record, places of ids. At a million a second it would take 142 years to get here, and as far again would
 * still be counted exactly.
 */
export const COUNTED_MAX = 2 ** 52;

/** A moment, in ms: the last that a date can have, https://tc39.es/ecma262/#sec-time-values-and-time-range. */
export const MOMENT_MAX = 8.64e15;
