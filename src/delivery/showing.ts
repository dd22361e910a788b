import type { CollapseHow, Once } from './collapse.ts';
import { collapse, firstOfEach } from './collapse.ts';
import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Hidden, MovedRange, Position, Mode } from '../core/position.ts';
import { moveUp, shownTime } from './moved.ts';
import type { Offset } from '../core/offset.ts';
import { cursorOf } from '../core/position.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, ofOffsets, without } from '../core/range.ts';
import type { Run } from '../core/run.ts';
import { entriesOf, runOf } from '../core/run.ts';
import type { Page } from './page.ts';
import type { Stretch } from './stretch.ts';

export interface ShowingRules {
  readonly collapse: CollapseHow;
  /** An event older than this when it is first offered in a timed scrape is moved up to it, in ms. */
  readonly ageMaxMs: number;
}

/** What a scrape shows of a page, and what that makes of the page's entries. */
export interface Showing {
  /** No series stands in two of them; in an untimed scrape it stands once in all. Ends of pulses are there, too, if there are any. */
  readonly runs: readonly Run[];
  /** What the scrape settles, once it arrived. */
  readonly covered: Ranges;
  /** What it leaves for a later one. */
  readonly left: Ranges;
  /** Events covered but not shown. */
  readonly collapsed: number;
  /** Which these are, if there are any. */
  readonly hidden?: Hidden;
  /** The scraper's moved ranges from now on. */
  readonly moved: readonly MovedRange[];
  /** Events that are shown later than they were. */
  readonly movedCount: number;
}

/** A sample may be offered again at its moved time for so long; Prometheus' limit of an hour lies beyond that. In ms. */
const MOVED_GRACE_MS = 5 * 60_000;

/** Decides what a scrape shows of a page. `once`: what may stand only once in a timed scrape, too, of each series. */
export function show(
  mode: Mode,
  page: Page,
  position: Position,
  requestedAt: Millis,
  rules: ShowingRules,
  once?: Once,
): Showing {
  return mode === 'timed'
    ? showTimed(page, position, requestedAt, rules, once)
    : showUntimed(page, position, rules);
}

/** Everything at its own time, or, where Prometheus would drop it as too old, as late as it must. */
function showTimed(
  page: Page,
  position: Position,
  requestedAt: Millis,
  { ageMaxMs }: ShowingRules,
  once?: Once,
): Showing {
  const all = { covered: page.ranges, left: NONE, collapsed: 0, movedCount: 0 };
  const oldest = millis(requestedAt - ageMaxMs);
  const isAsItWas = position.moved.length === 0 && isRecent(page, oldest);
  if (isAsItWas && isDistinct(page, 'timed')) return { ...all, runs: page.stretches, moved: position.moved };
  const entries = entriesOf(page.stretches);
  // Of all, whether they are shown now or left for later: so each is shown at the same time whenever it is.
  const moved = isAsItWas
    ? position.moved
    : moveUp(position.moved, cursorOf(position), entries, oldest, MOVED_GRACE_MS);
  const first = once === undefined ? undefined : firstOfEach(entries, once);
  const chosen = first?.shown ?? entries;
  const parts = first === undefined ? all : { ...all, ...partsOf(page, first.covered) };
  if (moved.length === 0) return { ...parts, moved, runs: [runOf(chosen)] };
  const shown: Entry[] = [];
  let movedCount = 0;
  for (const entry of chosen) {
    const time = shownTime(entry, moved);
    if (time === entry.time) shown.push(entry);
    // An end that would be moved could fall onto the next event of its series: without it the event fades by itself.
    else if (entry.kind === 'event') {
      movedCount += 1;
      shown.push({ ...entry, time });
    }
  }
  return { ...parts, moved, movedCount, runs: [runOf(shown)] };
}

/** A series may stand only once in an untimed scrape: Prometheus keeps the first of its samples and drops the others. */
function showUntimed(page: Page, { moved }: Position, rules: ShowingRules): Showing {
  // A count shows the value 1, whatever the event's was.
  if (rules.collapse !== 'count' && isDistinct(page, 'untimed'))
    return { runs: page.stretches, covered: page.ranges, left: NONE, collapsed: 0, moved, movedCount: 0 };
  const entries = entriesOf(page.stretches);
  const { shown, covered, collapsed } = collapse(rules.collapse, entries);
  const all = { runs: [runOf(shown)], collapsed, moved, movedCount: 0, ...partsOf(page, covered) };
  return collapsed === 0 ? all : { ...all, hidden: hiddenIn(entries, shown) };
}

/** Of a larger page it is not looked for which events are hidden. */
const HIDDEN_ENTRIES_MAX = 2_000;
/** An offer remembers so many ranges of them: it is written several times. */
const HIDDEN_RANGES_MAX = 16;

function hiddenIn(entries: readonly Entry[], shown: readonly Entry[]): Hidden {
  if (entries.length > HIDDEN_ENTRIES_MAX) return 'some';
  const seen = new Set(shown.map(({ offset }) => offset));
  const hidden = ofOffsets(
    entries.filter(({ kind, offset }) => kind === 'event' && !seen.has(offset)).map(({ offset }) => offset),
  );
  return hidden.length > HIDDEN_RANGES_MAX ? 'some' : hidden;
}

/** What of a page is covered, and what is left. */
function partsOf({ ranges }: Page, covered: readonly Offset[] | 'all'): Pick<Showing, 'covered' | 'left'> {
  if (covered === 'all') return { covered: ranges, left: NONE };
  const left = without(ranges, ofOffsets(covered));
  return { covered: without(ranges, left), left };
}

/** Whether all of a page is so recent that nothing has to be moved: entries that are moved stand 1 ms apart by their offsets. */
function isRecent({ stretches, ranges }: Page, oldest: Millis): boolean {
  const after = ranges[0]?.after ?? 0;
  return stretches.every(({ earliest, last }) => earliest >= oldest + (last - after));
}

/** Whether no series stands twice in a page. */
function isDistinct({ stretches, ranges }: Page, mode: Mode): boolean {
  const after = ranges[0]?.after ?? 0;
  return stretches.every((stretch) => repeatsNothing(stretch, mode, after));
}

/** Whether no series of a stretch stands before it, too, in a page that begins behind an offset. */
function repeatsNothing({ eventsRepeat, entriesRepeat }: Stretch, mode: Mode, after: number): boolean {
  return (mode === 'timed' ? entriesRepeat : eventsRepeat) <= after;
}

/** Whether a page that begins behind an offset will show a stretch as it is, as far as can be told of the stretch alone. */
export function isShownAsItIs(
  mode: Mode,
  stretch: Stretch,
  after: Offset,
  now: Millis,
  { collapse: how, ageMaxMs }: ShowingRules,
): boolean {
  const fits = mode === 'timed' ? stretch.earliest >= now - ageMaxMs : how !== 'count';
  return fits && repeatsNothing(stretch, mode, after);
}
