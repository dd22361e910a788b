import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import { offset } from '../core/offset.ts';
import type { MovedRange } from '../core/position.ts';

/** The time at which an entry is shown to a scraper: its own, or a later one if it had to be moved. */
export function shownTime(entry: Entry, moved: readonly MovedRange[]): Millis {
  for (const range of moved) {
    if (entry.offset > range.after && entry.offset <= range.upTo) {
      const earliest = range.floor + (entry.offset - range.after - 1);
      return entry.time >= earliest ? entry.time : millis(earliest);
    }
  }
  return entry.time;
}

/**
 * The moved ranges once a page is offered: those there were, and one more where entries are offered for the first time that are
 * older than `oldest`, or follow moved ones so closely that they would stand before those. Where what is not confirmed has become
 * too old again by `graceMs`, all is moved anew: what Prometheus refuses once, it would refuse for ever.
 */
export function moveUp(
  moved: readonly MovedRange[],
  cursor: Offset,
  entries: readonly Entry[],
  oldest: Millis,
  graceMs: number,
): readonly MovedRange[] {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return moved;
  const stale = moved.some(({ upTo, floor }) => upTo > cursor && floor < oldest - graceMs);
  const kept = stale ? [] : moved.filter((range) => range.upTo > cursor || endOf(range) > oldest);
  const after = offset(Math.max(first.offset - 1, ...kept.map(({ upTo }) => upTo)));
  if (after >= last.offset) return kept;
  const floor = millis(Math.max(oldest, ...moved.map(endOf)));
  const range: MovedRange = { after, upTo: last.offset, floor };
  const isNeeded = entries.some((entry) => entry.offset > after && shownTime(entry, [range]) !== entry.time);
  return isNeeded ? [...kept, range] : kept;
}

/** The first moment beyond those that a range may use. */
function endOf({ after, upTo, floor }: MovedRange): number {
  return floor + (upTo - after);
}
