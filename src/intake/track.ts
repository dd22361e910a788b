import { textBytes } from '../core/memory.ts';
import type { Millis } from '../core/millis.ts';
import type { Pulse, TimeRules } from '../core/pulse.ts';
import { isOver } from '../core/pulse.ts';
import type { SeriesText } from '../core/series.ts';

/** What is remembered of a series, beside its text, in bytes: its track, and its places in a map and in a list. An estimate. */
const TRACK_BYTES = 240;

/** What it takes to remember a series, in bytes. */
export function trackBytes(series: SeriesText): number {
  return TRACK_BYTES + textBytes(series);
}

/** A pulse as it was placed in a series, and what it was placed on. */
class Placement implements Pulse {
  readonly track: Track;
  /** Those that it is written together with; undefined once it is in the log. */
  batch: Batch | undefined;
  time: Millis;
  ended: boolean;
  /** Undefined below the series' first pulse, and below one in the log: what was there before does not matter any more. */
  below: Placement | undefined;
  /** Whether its batch, or one below that is on its way too, may bring the end of a pulse that is in the log. */
  mayEnd: boolean;

  constructor(track: Track, batch: Batch | undefined, below: Placement | undefined, mayEnd: boolean) {
    this.track = track;
    this.batch = batch;
    this.time = track.time;
    this.ended = track.ended;
    this.below = below;
    this.mayEnd = mayEnd;
  }
}

/** Pulses that get into the log together, or don't. */
export class Batch {
  readonly #placements: Placement[] = [];

  add(placement: Placement): void {
    this.#placements.push(placement);
  }

  /** They are in the log. */
  written(): void {
    for (const placement of this.#placements) placement.track.written(placement);
  }

  /** They will not be in the log. Tells `changed` of each series whose latest pulse is another one now, or that has none. */
  undo(changed: (track: Track, hasPulse: boolean) => void): void {
    for (const placement of this.#placements) {
      const { track } = placement;
      if (track.undo(placement)) changed(track, placement.below !== undefined);
    }
  }
}

/**
 * What is known of one series: its latest pulse, be that in the log or on its way there. Several batches of one series may be on their
 * way at once, and a full disk may refuse some of them and take others: so what to go back to is not what was there before, but what
 * got into the log. (What is placed on top of an event that is then refused may lack the end of the pulse before: it follows that end
 * within the time of one write, or its sender set it ahead.)
 *
 * A log may hold a great many series at once, so a track is small while nothing of it is on its way.
 */
export class Track implements Pulse {
  readonly series: SeriesText;
  time: Millis;
  ended: boolean;
  /** The second for which it is listed as one whose pulse may be over; 0 while it is not. */
  dueAt = 0;
  /** The latest pulse, while it or one below it is on its way. */
  #newest: Placement | undefined = undefined;

  constructor(series: SeriesText, time: Millis, ended: boolean) {
    this.series = series;
    this.time = time;
    this.ended = ended;
  }

  /** Takes a pulse that is in the log for the latest. */
  set(time: Millis, ended: boolean): void {
    this.time = time;
    this.ended = ended;
  }

  /** Places the first pulse of a series that was made for it. */
  begin(batch: Batch): void {
    this.#newest = new Placement(this, batch, undefined, false);
    batch.add(this.#newest);
  }

  /** Puts a pulse above the latest. */
  place(time: Millis, ended: boolean, batch: Batch, rules: TimeRules): void {
    const mayEnd = ended || isOver(this, time, rules);
    const newest = this.#newest;
    if (newest?.batch === batch) {
      newest.time = time;
      newest.ended = ended;
      newest.mayEnd ||= mayEnd;
      this.set(time, ended);
      return;
    }
    const below = newest ?? new Placement(this, undefined, undefined, false);
    this.set(time, ended);
    this.#newest = new Placement(this, batch, below, mayEnd || below.mayEnd);
    batch.add(this.#newest);
  }

  /** The pulse in the log whose end is on its way there, with another batch than this one; undefined where there is none. */
  endOnItsWay(batch: Batch, rules: TimeRules): Pulse | undefined {
    const newest = this.#newest;
    if (newest === undefined || !newest.mayEnd || newest.batch === batch) return undefined;
    let oldest = newest;
    while (oldest.below?.batch !== undefined) oldest = oldest.below;
    const inLog = oldest.below;
    if (inLog === undefined || inLog.ended) return undefined;
    return oldest.ended || isOver(inLog, oldest.time, rules) ? inLog : undefined;
  }

  written(placement: Placement): void {
    placement.batch = undefined;
    placement.below = undefined;
    if (placement === this.#newest) this.#newest = undefined;
  }

  /** Returns whether it was the latest pulse, which is now what was below it. */
  undo(placement: Placement): boolean {
    const { below } = placement;
    if (placement === this.#newest) {
      this.#newest = below?.batch === undefined ? undefined : below;
      if (below !== undefined) this.set(below.time, below.ended);
      return true;
    }
    for (let above = this.#newest; above !== undefined; above = above.below) {
      // What it is on now is another one, whose pulse it may lie beyond.
      above.mayEnd = true;
      if (above.below !== placement) continue;
      above.below = below;
      break;
    }
    return false;
  }
}
