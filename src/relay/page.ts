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

/** What is read from the log itself at a time: a few ms, after which others get their turns. And a page of few large entries does not load many. */
const READ_ENTRIES_MAX = 2_000;
const READ_BYTES_MAX = 2 * 1024 * 1024;

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
        if (left <= 0) return { stretches, ranges: union(taken, range(after, from)) };
        // Not in parts: chunks that are cut can't be shared.
        const inTail = this.#tail.slice(from, upTo, left);
        const inLog =
          inTail === undefined ? await this.#readLog(from, upTo, left, limits.bytesMax - bytes) : undefined;
        // Beyond where the log ends nothing is there.
        const reached = inLog === undefined || inLog.upTo === from ? upTo : inLog.upTo;
        for (const stretch of inTail ?? inLog?.stretches ?? []) {
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
        }
        // Offsets may have gaps, or were trimmed: then it went further than its last entry.
        if (entries < limits.eventsMax || inLog !== undefined) from = reached;
      }
      taken = union(taken, range(after, upTo));
    }
    return { stretches, ranges: taken };
  }

  async #readLog(
    after: Offset,
    upTo: Offset,
    left: number,
    bytesLeft: number,
  ): Promise<{ stretches: readonly Stretch[]; upTo: Offset }> {
    const entriesMax = Math.min(left, READ_ENTRIES_MAX);
    const read = await this.#log.read(after, upTo, {
      entriesMax,
      bytesMax: Math.min(READ_BYTES_MAX, bytesLeft * 2),
    });
    await setImmediate();
    return { stretches: read.entries.length === 0 ? [] : [new ReadStretch(read.entries)], upTo: read.upTo };
  }
}
