/**
 * Ctrl-C under npm comes twice within milliseconds: from the terminal, and from npm. A signal that follows another within this time, in
 * ms, is its echo, and asks for nothing new.
 */
export const ECHO_MS = 1_000;

/** What this asks of the process. */
export interface Stoppable {
  readonly on: (signal: NodeJS.Signals, listener: () => void) => unknown;
  /** Milliseconds of a clock that is never set back. */
  readonly elapsed: () => number;
  /** Ends the process at once. */
  readonly endNow: () => void;
}

/** Resolves with the first signal that asks the process to stop. A second one, unless it is an echo, ends it at once. */
export function stopAsked({ on, elapsed, endNow }: Stoppable): Promise<string> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      // The listener stays: without one, even for a moment, a signal does what it does to any process.
      on(signal, () => {
        if (askedAt === undefined) {
          askedAt = elapsed();
          resolve(signal);
        } else if (elapsed() - askedAt >= ECHO_MS) endNow();
      });
    }
  });
}
