import type { Entry } from '../core/entry.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, range, union } from '../core/range.ts';
import type { Log } from '../log/log.ts';
import type { Tail } from './tail.ts';

/** What one scrape takes: entries in order, and the offsets that they cover. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly ranges: Ranges;
}

/** What a sample's line costs beside its series: the value, the time, the separators. An estimate. */
const LINE_BYTES = 40;
/** Entries read from the log at a time, so that a page of few large entries does not load many. */
const READ_ENTRIES_MAX = 10_000;

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
    const entries: Entry[] = [];
    let taken: Ranges = NONE;
    let bytes = 0;
    for (const { after, upTo } of ranges) {
      let from = after;
      while (from < upTo) {
        const most = Math.min(limits.eventsMax - entries.length, READ_ENTRIES_MAX);
        const read = this.#tail.slice(from, upTo, most) ?? (await this.#log.read(from, upTo, most));
        // Fewer than asked for: nothing more is there, for offsets may have gaps, or were trimmed.
        const exhausted = read.length < most;
        for (const entry of read) {
          const size = Buffer.byteLength(entry.series) + LINE_BYTES;
          if (entries.length > 0 && bytes + size > limits.bytesMax) {
            return { entries, ranges: union(taken, range(after, from)) };
          }
          bytes += size;
          entries.push(entry);
          from = entry.offset;
        }
        if (exhausted) from = upTo;
        else if (entries.length >= limits.eventsMax)
          return { entries, ranges: union(taken, range(after, from)) };
      }
      taken = union(taken, range(after, upTo));
    }
    return { entries, ranges: taken };
  }
}
