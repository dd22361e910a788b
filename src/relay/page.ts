import { setImmediate } from 'node:timers/promises';
import type { PageLimits } from '../core/limits.ts';
import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, range, union } from '../core/range.ts';
import type { Log } from '../log/log.ts';
import type { Stretch } from './stretch.ts';
import { ReadStretch } from './stretch.ts';
import type { Tail } from './tail.ts';

/** What one scrape takes: entries in order, and the offsets that they cover. */
export interface Page {
  readonly stretches: readonly Stretch[];
  readonly ranges: Ranges;
}

/**
 * Entries read from the log itself at a time: a few ms, after which others get their turns. And a page of few large entries does not load
 * many.
 */
const READ_ENTRIES_MAX = 2_000;

/** Reads pages of the log: from the tail where it reaches back far enough, else from the log itself. */
export class Pages {
  readonly #log: Log;
  readonly #tail: Tail;

  constructor(log: Log, tail: Tail) {
    this.#log = log;
    this.#tail = tail;
  }

  /** Where the log ends for those who read it: its last durable entry. */
  get end(): Offset {
    return this.#tail.end;
  }

  /** As much of the ranges as a page holds, from the start; the first entry is always taken. */
  async read(ranges: Ranges, limits: PageLimits): Promise<Page> {
    const stretches: Stretch[] = [];
    let taken: Ranges = NONE;
    let entries = 0;
    let bytes = 0;
    for (const { after, upTo } of ranges) {
      let from = after;
      while (from < upTo) {
        const left = limits.eventsMax - entries;
        // Not in parts: chunks that are cut can't be shared.
        const inTail = this.#tail.slice(from, upTo, left);
        const most = inTail === undefined ? Math.min(left, READ_ENTRIES_MAX) : left;
        let read = 0;
        for (const stretch of inTail ?? (await this.#readLog(from, upTo, most))) {
          const fits = stretch.countWithin(limits.bytesMax - bytes);
          const count = entries === 0 ? Math.max(fits, 1) : fits;
          if (count > 0) {
            const part = stretch.first(count);
            stretches.push(part);
            entries += count;
            bytes += part.bytes;
            from = part.last;
          }
          if (count < stretch.length) return { stretches, ranges: union(taken, range(after, from)) };
          read += count;
        }
        // Fewer than asked for: nothing more is there, for offsets may have gaps, or were trimmed.
        if (read < most) from = upTo;
        else if (entries >= limits.eventsMax) return { stretches, ranges: union(taken, range(after, from)) };
      }
      taken = union(taken, range(after, upTo));
    }
    return { stretches, ranges: taken };
  }

  async #readLog(after: Offset, upTo: Offset, entriesMax: number): Promise<readonly Stretch[]> {
    const entries = await this.#log.read(after, upTo, entriesMax);
    await setImmediate();
    return entries.length === 0 ? [] : [new ReadStretch(entries)];
  }
}
