/**
 * Has something undone when this process ends before it got to it, by SIGTERM among others where that leads to `process.exit()`.
 * Returns what calls it off.
 */
export function atExit(undo: () => void): () => void {
  process.once('exit', undo);
  return () => void process.off('exit', undo);
}

/** Lets signals end this process by way of `process.exit()`, so that what is to be undone is. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}
