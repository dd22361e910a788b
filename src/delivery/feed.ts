import type { Entry } from '../core/entry.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Offset } from '../core/offset.ts';
import { offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { range } from '../core/range.ts';
import { entriesOf } from '../core/run.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { Pages } from './page.ts';

/** A page of the feed. */
export interface FeedPage {
  readonly events: readonly Entry[];
  /** What to ask for next. */
  readonly next: Offset;
  /** Where the log ends now: there is more where it lies beyond `next`. */
  readonly end: Offset;
  /** How many entries that were asked for are gone from the log, at most. */
  readonly gone: number;
}

/** Events for those who only look: nothing is consumed, nobody becomes known, and what scrapers get does not change. */
export class Feed {
  readonly #log: Pick<EntryLog, 'state'>;
  readonly #pages: Pages;

  constructor(log: Pick<EntryLog, 'state'>, pages: Pages) {
    this.#log = log;
    this.#pages = pages;
  }

  /**
   * The events beyond `after`, oldest first, of at most `entriesMax` entries (ends of pulses count, and are left out); without `after` the
   * newest ones. `bytesMax` bounds what is read from the log. An offset beyond the end is of a log that is no more: it stands for the start of this one.
   */
  async read(after: Offset | undefined, entriesMax: number, bytesMax: number): Promise<FeedPage> {
    const { trimmed } = this.#log.state();
    const end = this.#pages.end;
    const asked = after ?? Math.max(trimmed, end - entriesMax);
    const from = asked > end ? trimmed : offset(Math.max(asked, trimmed));
    const limits: PageLimits = { eventsMax: entriesMax, bytesMax };
    const { stretches, ranges, gaps } = await this.#pages.read(range(from, end), limits);
    return {
      events: entriesOf(stretches).filter(({ kind }) => kind === 'event'),
      next: furthest(from, ranges, gaps),
      end,
      gone: asked > end ? 0 : from - asked,
    };
  }
}

/** Where what was gone through ends. */
function furthest(from: Offset, ...all: readonly Ranges[]): Offset {
  return offset(Math.max(from, ...all.map((ranges) => ranges.at(-1)?.upTo ?? 0)));
}
