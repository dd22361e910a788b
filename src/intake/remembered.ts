import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import type { Offset } from '../core/offset.ts';
import type { EntryLog, ReadLimits } from '../log/entryLog.ts';
import type { AheadMark } from './aheadMark.ts';
import { AHEAD_MS } from './aheadMark.ts';
import { trackBytes } from './track.ts';

/** What a timeline learns from at a start. */
export interface Remembered {
  /** In the order of the log. */
  readonly entries: readonly Entry[];
  /** Every series that has no entry among these has no time above this. */
  readonly floor: Millis;
}

/** What is looked through at a time. */
const READ_AT_ONCE: ReadLimits = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024 };

/** How much is remembered at most. */
export interface RememberedLimits {
  readonly entriesMax: number;
  /** Of what their series take in a timeline. Those that are ahead may take as much again. */
  readonly bytesMax: number;
}

/** Entries that are read backwards at once, where they are small. */
const WINDOW_ENTRIES = 1_000;

/**
 * Reads the newest entries of the log, as many as are remembered, and those before them whose time lies beyond the arrival of the oldest
 * of these, since their sender was ahead: were they left out, every new series would have to stand behind all that might be. So it does
 * where there are too many of them. `aheadMaxMs`: how far ahead of its arrival a time may lie. What the mark vouches for is not looked
 * through for them; it learns of the rest.
 */
export async function readRemembered(
  log: EntryLog,
  mark: AheadMark,
  limits: RememberedLimits,
  aheadMaxMs: number,
): Promise<Remembered> {
  const { lastArrived } = log.state();
  const { last, upTo } = await mark.load();
  const { entries: newest, after, lost } = await readNewest(log, limits);
  const newestFrom = after === START ? millis(0) : (newest[0]?.arrived ?? lastArrived);
  // A series whose entries were lost is one of those that have none among these.
  let floor = lost > 0 ? lastArrived : newestFrom;
  const ahead: Entry[] = [];
  let bytes = 0;
  const search = (from: Offset, to: Offset): Promise<unknown> =>
    inParts(log, from, to, (entries) => {
      mark.note(entries);
      for (const entry of entries) {
        if (entry.time <= newestFrom) continue;
        bytes += trackBytes(entry.series);
        if (bytes <= limits.bytesMax) ahead.push(entry);
        else floor = millis(Math.max(floor, entry.time));
      }
    });
  if (after > START) {
    const from = await log.offsetAt(millis(newestFrom - aheadMaxMs));
    // What arrived shortly before may be beyond the floor though it is not ahead.
    const near = await log.offsetAt(millis(newestFrom - AHEAD_MS));
    await search(from, offset(Math.min(last, after)));
    await search(offset(Math.max(from, last, Math.min(upTo, near))), after);
  }
  mark.note(newest);
  return { entries: [...ahead, ...newest], floor };
}

/** The newest entries, in the order of the log, and the offset beyond which they lie. Read backwards, since nobody knows how large they are. */
async function readNewest(
  log: EntryLog,
  { entriesMax, bytesMax }: RememberedLimits,
): Promise<{ entries: readonly Entry[]; after: Offset; lost: number }> {
  const { trimmed, end } = log.state();
  const first = offset(Math.max(trimmed, end - entriesMax));
  const parts: (readonly Entry[])[] = [];
  let after = end;
  let bytes = 0;
  let lost = 0;
  let window = WINDOW_ENTRIES;
  while (after > first && bytes < bytesMax) {
    const from = offset(Math.max(first, after - window));
    const read = await log.read(from, after, { entriesMax: window, bytesMax: bytesMax - bytes });
    if (read.upTo < after && window > 1) {
      window = Math.ceil(window / 2);
      continue;
    }
    for (const { series } of read.entries) bytes += trackBytes(series);
    parts.push(read.entries);
    lost += read.lost;
    after = from;
    await setImmediate();
  }
  return { entries: parts.toReversed().flat(), after, lost };
}

/** Reads what is there beyond `after`, up to and with `to`. Resolves with how many entries of it are lost. */
async function inParts(
  log: EntryLog,
  after: Offset,
  to: Offset,
  each: (entries: readonly Entry[]) => void,
): Promise<number> {
  let lost = 0;
  for (let from = after; from < to;) {
    const { entries, upTo, ...read } = await log.read(from, to, READ_AT_ONCE);
    each(entries);
    lost += read.lost;
    await setImmediate();
    if (upTo === from) break;
    from = upTo;
  }
  return lost;
}
