import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../core/entry.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, ofOffsets, range, union, without } from '../core/range.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { Stretch } from './stretch.ts';
import { ReadStretch } from './stretch.ts';
import type { Tail } from './tail.ts';

/** What one scrape takes: entries in order, and the offsets that they cover. */
export interface Page {
  readonly stretches: readonly Stretch[];
  readonly ranges: Ranges;
  /** What lies between, or behind, and can't be read, since the log is damaged. */
  readonly gaps: Ranges;
  /** How many entries were lost there, since the log is damaged. */
  readonly lost: number;
}

/** What is read from the log itself at a time: a few ms, after which others get their turns. And a page of few large entries does not load many. */
const READ_ENTRIES_MAX = 2_000;
const READ_BYTES_MAX = 2 * 1024 * 1024;

/** What was read from the log itself. */
interface LogPart extends Pick<Page, 'stretches' | 'gaps' | 'lost'> {
  readonly upTo: Offset;
}

/** Reads pages of the log: from the tail where it reaches back far enough, else from the log itself. */
export class Pages {
  readonly #log: Pick<EntryLog, 'read' | 'state'>;
  readonly #tail: Tail;

  constructor(log: Pick<EntryLog, 'read' | 'state'>, tail: Tail) {
    this.#log = log;
    this.#tail = tail;
  }

  /** Where the log ends for those who read it: its last durable entry. */
  get end(): Offset {
    return this.#tail.end;
  }

  /** As `Tail.wholeBeyond`. */
  wholeBeyond(after: Offset): Stretch | undefined {
    return this.#tail.wholeBeyond(after);
  }

  /**
   * As much of the ranges as a page holds, from the start; the first entry is always taken. Throws a RangeError (a programmer's error) for a limit
   * that is no number: nothing would ever reach it.
   */
  async read(ranges: Ranges, limits: PageLimits): Promise<Page> {
    if (Number.isNaN(limits.eventsMax + limits.bytesMax))
      throw new RangeError('a limit of a page is no number');
    const stretches: Stretch[] = [];
    let taken: Ranges = NONE;
    let entries = 0;
    let bytes = 0;
    let gaps: Ranges = NONE;
    let lost = 0;
    const page = (upTo: Ranges): Page => ({
      stretches,
      ranges: without(union(taken, upTo), gaps),
      gaps,
      lost,
    });
    for (const { after, upTo } of ranges) {
      let from = after;
      while (from < upTo) {
        const before = from;
        const left = limits.eventsMax - entries;
        if (left <= 0) return page(range(after, from));
        // Not in parts: chunks that are cut can't be shared.
        const inTail = this.#tail.slice(from, upTo, left);
        const inLog =
          inTail === undefined ? await this.#readLog(from, upTo, left, limits.bytesMax - bytes) : undefined;
        if (inLog !== undefined && inLog.lost > 0) {
          gaps = union(gaps, inLog.gaps);
          lost += inLog.lost;
        }
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
          if (count < stretch.length) return page(range(after, from));
        }
        // Where entries are damaged, or were trimmed, it went further than its last entry.
        if (entries < limits.eventsMax || inLog !== undefined) from = reached;
        // One round that comes no further would be the first of endless ones.
        if (!(from > before)) throw new Error(`a page comes no further than ${before}`);
      }
      taken = union(taken, range(after, upTo));
    }
    return page(NONE);
  }

  async #readLog(after: Offset, upTo: Offset, left: number, bytesLeft: number): Promise<LogPart> {
    const entriesMax = Math.min(left, READ_ENTRIES_MAX);
    const bytesMax = Math.min(READ_BYTES_MAX, bytesLeft * 2);
    const read = await this.#log.read(after, upTo, { entriesMax, bytesMax });
    const { entries, lost } = read;
    const gaps = lost === 0 ? NONE : gapsBetween(entries, after, read.upTo, this.#log.state().trimmed);
    await setImmediate();
    return { stretches: entries.length === 0 ? [] : [new ReadStretch(entries)], upTo: read.upTo, gaps, lost };
  }
}

/** Offsets that were read and hold no entry, without those that were trimmed. */
function gapsBetween(entries: readonly Entry[], after: Offset, upTo: Offset, trimmed: Offset): Ranges {
  const there = ofOffsets(entries.map(({ offset }) => offset));
  return without(range(after > trimmed ? after : trimmed, upTo), there);
}
