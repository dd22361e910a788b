/**
 * An entry's place in the log: a whole number from 1 on, never reused. 0 stands before the first entry. Offsets are dense: each is one more
 * than the one before, so a range of offsets is a number of entries. Damage alone leaves holes (docs/decisions/0007-dense-offsets.md).
 */
export type Offset = number & { readonly __brand: 'Offset' };

/** Checks and brands a number. Throws a RangeError for anything but a whole number from 0 to 2^53 - 1. */
export function offset(value: number): Offset {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an offset: ${value}`);
  return value as Offset;
}

/** The place before the first entry. */
export const START: Offset = offset(0);
