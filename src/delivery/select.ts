import type { Entry } from '../core/entry.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import type { Ranges } from '../core/range.ts';
import { common, ofOffsets, range, without } from '../core/range.ts';
import type { SeriesText } from '../core/series.ts';
import type { Page } from './page.ts';
import { ReadStretch } from './stretch.ts';

/** Says which series one scraper is to get; it never gets the others. */
export interface Select {
  /** The same for those that select the same, also after a restart. */
  readonly key: string;
  readonly has: (series: SeriesText) => boolean;
}

/** What is chosen of a page has so many gaps at most: they are written with the offer. */
const RANGES_MAX = 500;

/** What is chosen of a page, and what of it is passed over. */
export interface Choice {
  readonly page: Page;
  readonly passed: Ranges;
}

/** Chooses entries of a page, as many as `max`: a step for each look, since some regular expressions take 25 ms for one. Where it ends before the page does, what is behind its last one is neither chosen nor passed over. */
export function* choose(page: Page, max: number, select: Select): Generator<void, Choice> {
  const chosen: Entry[] = [];
  let gaps = 0;
  let last: Offset | undefined;
  let isCut = false;
  for (const entry of entriesIn(page)) {
    yield;
    if (!select.has(entry.series)) continue;
    if (last !== undefined && entry.offset > last + 1) gaps += 1;
    isCut = chosen.length === max || gaps === RANGES_MAX;
    if (isCut) break;
    chosen.push(entry);
    last = entry.offset;
  }
  const looks = isCut && last !== undefined ? common(page.ranges, range(START, last)) : page.ranges;
  const ranges = ofOffsets(chosen.map(({ offset }) => offset));
  return {
    page: { ...page, stretches: chosen.length === 0 ? [] : [new ReadStretch(chosen)], ranges },
    passed: without(looks, ranges),
  };
}

function* entriesIn({ stretches }: Page): Generator<Entry, void> {
  for (const stretch of stretches) yield* stretch.entries();
}
