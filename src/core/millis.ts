/** A moment or a span, in whole milliseconds; a moment counts from the Unix epoch. */
export type Millis = number & { readonly __brand: 'Millis' };

/** Checks and brands a number. Throws a RangeError for anything but a whole number of milliseconds. */
export function millis(value: number): Millis {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not whole milliseconds: ${value}`);
  return value as Millis;
}

/** Tells the time. An input everywhere, so that tests can turn it. */
export type Clock = () => Millis;

/**
 * Tells how much time went by, in ms from any moment on. Nobody can set it, so limits and other durations are measured by it; a `Clock` is for
 * moments that are shown or stored.
 */
export type Monotonic = () => number;
