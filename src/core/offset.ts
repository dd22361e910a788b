/**
 * An entry's place in the log: a whole number from 1 on, strictly increasing, never reused. Gaps are allowed.
 * 0 stands before the first entry.
 */
export type Offset = number & { readonly __brand: 'Offset' };

/** Checks and brands a number. Throws a RangeError for anything but a whole number from 0 to 2^53 - 1. */
export function offset(value: number): Offset {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an offset: ${value}`);
  return value as Offset;
}

/** The place before the first entry. */
export const START: Offset = offset(0);
