import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import type { Log } from '../log/log.ts';

/** What a timeline learns from at a start. */
export interface Remembered {
  /** In the order of the log. */
  readonly entries: readonly Entry[];
  /** Every series that has no entry among these has no time above this. */
  readonly floor: Millis;
}

/** Entries looked through at a time. */
const CHUNK_ENTRIES = 10_000;

/**
 * Reads the newest entries of the log, at most `entriesMax` of them, and those before them whose time lies beyond the arrival of the
 * oldest of these, since their sender was ahead: were they left out, every new series would have to stand behind all that might be.
 * `aheadMaxMs`: how far ahead of its arrival a time may lie.
 */
export async function readRemembered(log: Log, entriesMax: number, aheadMaxMs: number): Promise<Remembered> {
  const { end, trimmed, lastArrived } = log.state();
  const after = offset(Math.max(trimmed, end - entriesMax));
  const newest = await log.read(after, end, entriesMax);
  if (after === START) return { entries: newest, floor: millis(0) };
  const floor = newest[0]?.arrived ?? lastArrived;
  const ahead: Entry[] = [];
  let from = await log.offsetAt(millis(floor - aheadMaxMs));
  while (from < after) {
    const chunk = await log.read(from, after, CHUNK_ENTRIES);
    for (const entry of chunk) if (entry.time > floor) ahead.push(entry);
    from = chunk.at(-1)?.offset ?? after;
  }
  return { entries: [...ahead, ...newest], floor };
}
