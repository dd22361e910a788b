/**
 * What is wrong with an integer that was read as a BigInt (`setReadBigInts`), so that one of any size can be told; undefined where nothing is.
 * SQLite itself finds nothing wrong with a number that this program never writes.
 */
export function numberFault(name: string, stored: unknown, min: number, max: number): string | undefined {
  const isWithin = typeof stored === 'bigint' && stored >= min && stored <= max;
  return isWithin
    ? undefined
    : `${name} is ${String(stored)}; it must be a whole number from ${min} to ${max}`;
}
