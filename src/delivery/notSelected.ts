import type { Entry } from '../core/entry.ts';
import type { PageLimits } from '../core/limits.ts';
import type { Loop } from '../core/loop.ts';
import type { Offset } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, ofOffsets, union, without } from '../core/range.ts';
import { entriesOf } from '../core/run.ts';
import type { Pages } from './page.ts';
import type { Scrapers } from './scrapers.ts';
import type { Select } from './select.ts';

/** What is read at a time. */
const STEP: PageLimits = { eventsMax: 500, bytesMax: 1024 * 1024 };

/** What of some entries is not selected, by the ids of the scrapers that select some. */
export type NotSelected = ReadonlyMap<string, Ranges>;

const NOTHING: NotSelected = new Map();

/** A scraper that selects, and from where on. */
interface Selecting {
  readonly id: string;
  readonly by: Select;
  readonly since: Offset;
}

/** Looks at entries in steps, for each scraper that selects some. What can't be read, or was settled by an earlier selection, isn't looked at. */
export async function notSelected(
  ranges: Ranges,
  pages: Pick<Pages, 'read'>,
  scrapers: Pick<Scrapers, 'all' | 'selectOf'>,
  loop: Loop,
): Promise<NotSelected> {
  const selecting = Array.from(scrapers.all()).flatMap(({ id, select }): readonly Selecting[] => {
    const by = scrapers.selectOf(id);
    return by === undefined || select === undefined ? [] : [{ id, by, since: select.since }];
  });
  if (selecting.length === 0) return NOTHING;
  const passed = new Map<string, Ranges>();
  for (let left = ranges; left.length > 0;) {
    const page = await pages.read(left, STEP);
    const entries = entriesOf(page.stretches);
    await loop.run(look(entries, selecting, passed));
    const rest = without(without(left, page.ranges), page.gaps);
    // What is read no further, such as what was trimmed, is behind all that can be read.
    left = entries.length === 0 ? NONE : rest;
  }
  return passed;
}

/** Adds what isn't selected to what was `passed` over: a step for each look, as in `choose`. */
function* look(
  entries: readonly Entry[],
  selecting: readonly Selecting[],
  passed: Map<string, Ranges>,
): Generator<void, void> {
  for (const { id, by, since } of selecting) {
    const offsets: Offset[] = [];
    for (const { offset, series } of entries) {
      yield;
      if (offset > since && !by.has(series)) offsets.push(offset);
    }
    if (offsets.length > 0) passed.set(id, union(passed.get(id) ?? NONE, ofOffsets(offsets)));
  }
}
