import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import type { Offset } from '../core/offset.ts';
import type { Log, ReadLimits } from '../log/log.ts';
import type { AheadMark } from './aheadMark.ts';
import { AHEAD_MS } from './aheadMark.ts';

/** What a timeline learns from at a start. */
export interface Remembered {
  /** In the order of the log. */
  readonly entries: readonly Entry[];
  /** Every series that has no entry among these has no time above this. */
  readonly floor: Millis;
}

/** What is looked through at a time. */
const READ_AT_ONCE: ReadLimits = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024 };

/**
 * Reads the newest entries of the log, at most `entriesMax` of them, and those before them whose time lies beyond the arrival of the
 * oldest of these, since their sender was ahead: were they left out, every new series would have to stand behind all that might be.
 * `aheadMaxMs`: how far ahead of its arrival a time may lie. What the mark vouches for is not looked through for them; it learns of the rest.
 */
export async function readRemembered(
  log: Log,
  mark: AheadMark,
  entriesMax: number,
  aheadMaxMs: number,
): Promise<Remembered> {
  const { end, trimmed, lastArrived } = log.state();
  const { last, upTo } = await mark.load();
  const after = offset(Math.max(trimmed, end - entriesMax));
  const newest: Entry[] = [];
  const lost = await inParts(log, after, end, (entries) => {
    for (const entry of entries) newest.push(entry);
  });
  // A series whose entries were lost is one of those that have none among these.
  const floor = lost > 0 ? lastArrived : after === START ? millis(0) : (newest[0]?.arrived ?? lastArrived);
  const ahead: Entry[] = [];
  const search = (from: Offset, to: Offset): Promise<unknown> =>
    inParts(log, from, to, (entries) => {
      mark.note(entries);
      for (const entry of entries) if (entry.time > floor) ahead.push(entry);
    });
  if (after > START) {
    const from = await log.offsetAt(millis(floor - aheadMaxMs));
    // What arrived shortly before may be beyond the floor though it is not ahead.
    const near = await log.offsetAt(millis(floor - AHEAD_MS));
    await search(from, offset(Math.min(last, after)));
    await search(offset(Math.max(from, last, Math.min(upTo, near))), after);
  }
  mark.note(newest);
  return { entries: [...ahead, ...newest], floor };
}

/** Reads what is there beyond `after`, up to and with `to`. Resolves with how many entries of it are lost. */
async function inParts(
  log: Log,
  after: Offset,
  to: Offset,
  each: (entries: readonly Entry[]) => void,
): Promise<number> {
  let lost = 0;
  for (let from = after; from < to;) {
    const { entries, upTo, ...read } = await log.read(from, to, READ_AT_ONCE);
    each(entries);
    lost += read.lost;
    if (upTo === from) break;
    from = upTo;
  }
  return lost;
}
