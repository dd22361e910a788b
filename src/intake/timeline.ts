import type { Entry, NewEntry } from '../core/entry.ts';
import type { Event } from './event.ts';
import type { Share } from '../core/memory.ts';
import { memoryFull } from '../core/memory.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Pulse, TimeRules } from '../core/pulse.ts';
import { finalTime, isOver, pulseEnd } from '../core/pulse.ts';
import type { SeriesText } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import type { Sender } from './lastRoom.ts';
import { LastRoom } from './lastRoom.ts';
import { Batch, Track, trackBytes } from './track.ts';

/** Beyond this many series those that can't matter any more are swept out. */
const SWEEP_AT_SERIES = 50_000;
/** Where so much of the memory is taken, what can be done without goes: see `Timeline`. */
const PRESSED_SHARE = 0.5;
/** For want of memory all series are looked through once in so many ms, … */
const SWEEP_EVERY_MS = 1_000;
/** … or once a sixteenth as many were refused: a clock that is set back must not put it off. */
const SWEEP_REFUSED_SHARE = 1 / 16;
/** A series that had an event within this time stays, in ms: what is swept out holds the times of new series above its own. */
const RECENT_MS = 5_000;
/** Lists of what may be over are cleared of forgotten series once they hold so many times what is remembered, and so many more. */
const LISTED_SHARE = 1.25;
const LISTED_FREE = 1_000;
/** Whoever showed ends comes back within this, in ms, if at all: until then, pulses that are not over stay for it. */
const UNWANTED_MS = 120_000;

/** What to write for some events. Whoever writes it tells what became of it: until then it may or may not be in the log. */
export class Placed {
  readonly entries: NewEntry[] = [];
  /** Events that did not get the time that they were sent with, or arrived at. */
  retimed = 0;
  readonly #batch: Batch;
  readonly #changed: (track: Track, hasPulse: boolean) => void;

  /** `changed` as in `Batch.undo`. */
  constructor(batch: Batch, changed: (track: Track, hasPulse: boolean) => void) {
    this.#batch = batch;
    this.#changed = changed;
  }

  written(): void {
    this.#batch.written();
  }

  undo(): void {
    this.#batch.undo(this.#changed);
  }
}

/**
 * Gives each event its final time, and ends pulses (guarantee G8): the times of a series strictly increase, and no event stands at
 * or before an end marker that may have been delivered. A clock that is set back does not turn the log's time back.
 *
 * Its memory is bounded. Once half of it is taken, recent series are forgotten, too, and nobody sets an event ahead of its arrival: a
 * series that is forgotten holds the times of new ones above its own. While somebody shows the ends of pulses, none that is open is
 * forgotten; where nothing else is left, events of new series are refused, and those of a client that made many before those of others.
 */
export class Timeline {
  readonly #rules: TimeRules;
  readonly #memory: Share;
  readonly #lastRoom: LastRoom;
  #arrived = millis(0);
  readonly #tracks = new TextMap<Track>();
  /** Series whose pulse may be over, by the second at which it may be, while ends are wanted. One says itself in which of them it counts. */
  readonly #due = new Map<number, Track[]>();
  /** How many stand in these lists, forgotten ones among them. */
  #listed = 0;
  /** No series that was swept out has a time above this. */
  #floor = millis(0);
  #wanted = false;
  /** From when on nobody has wanted ends for long; undefined until that can be told. */
  #unwantedFrom: Millis | undefined;
  #sweepAt = SWEEP_AT_SERIES;
  #sweepAtBytes: number;
  #sweptAt = millis(0);
  #refusedSince = 0;

  constructor(rules: TimeRules, memory: Share) {
    this.#rules = rules;
    this.#memory = memory;
    this.#lastRoom = new LastRoom(memory, rules.pulseWidthMs);
    this.#sweepAtBytes = memory.bytesMax * PRESSED_SHARE;
  }

  /**
   * Learns what was in the log before the start: its newest entries in order, and the latest arrival among all. `floor`: no series
   * that has none of these entries has a time above it.
   */
  start(lastArrived: Millis, entries: readonly Entry[], floor: Millis): void {
    const { pulseWidthMs } = this.#rules;
    this.#floor = floor;
    this.#arrived = lastArrived;
    for (const { series, time, kind } of entries) {
      const ended = kind === 'end';
      const eventTime = ended ? millis(time - pulseWidthMs) : time;
      const track = this.#tracks.get(series);
      if (track === undefined) this.#add(new Track(series, eventTime, ended));
      else {
        track.set(eventTime, ended);
        this.#await(track);
      }
    }
  }

  /** What may be remembered of what was in the log before the start, in bytes: what comes then needs room, too. */
  get rememberedBytesMax(): number {
    return (this.#memory.bytesMax * PRESSED_SHARE) / 2;
  }

  get rules(): TimeRules {
    return this.#rules;
  }

  /** How many series stand in lists of those whose pulse may be over: some more than it remembers at most. */
  get listed(): number {
    return this.#listed;
  }

  /** How many series it remembers. */
  get size(): number {
    return this.#tracks.size;
  }

  /**
   * Places events that arrive now: each gets its time, behind the end of its series' earlier pulse where that is over. Throws an
   * UnavailableError where there is no memory for their series; nothing is placed then. `sender`: who sent them.
   */
  place(events: readonly Event[], now: Millis, sender?: Sender): Placed {
    if (now > this.#arrived) this.#arrived = now;
    const batch = new Batch();
    const placed = new Placed(batch, this.#undone);
    try {
      const taken = this.#placeAll(events, batch, placed, sender);
      this.#lastRoom.took(taken, this.#arrived, sender);
    } catch (error) {
      placed.undo();
      throw error;
    }
    return placed;
  }

  /** Returns what new series took of the memory, in bytes. */
  #placeAll(events: readonly Event[], batch: Batch, placed: Placed, sender: Sender | undefined): number {
    let taken = 0;
    const arrived = this.#arrived;
    const rules = this.#isPressed ? { ...this.#rules, aheadMaxMs: 0 } : this.#rules;
    const { entries } = placed;
    for (const { series: text, value, sent } of events) {
      const known = this.#tracks.get(text);
      // An end that is on its way to the log may not get there: the event behind it brings it once more, which changes nothing.
      const onItsWay = known?.endOnItsWay(batch, rules);
      if (onItsWay !== undefined) entries.push(this.#end(text, onItsWay));
      const time = finalTime(arrived, sent, known, this.#floor, rules);
      if (time !== (sent ?? arrived)) placed.retimed += 1;
      const track = known ?? new Track(text, time, false);
      // One text for all entries of a series.
      const { series } = track;
      if (known === undefined) {
        const bytes = trackBytes(series);
        this.#makeRoom(bytes, taken, sender);
        taken += bytes;
        track.begin(batch);
        this.#add(track);
      } else {
        if (isOver(known, time, rules)) entries.push(this.#end(series, known));
        known.place(time, false, batch, rules);
        this.#await(known);
      }
      entries.push({ kind: 'event', series, value, time, arrived });
    }
    return taken;
  }

  /**
   * Ends the pulses that are over now. While nobody shows their ends (`wanted`), they cost no place in the log; who comes first to show
   * them still gets the ends of pulses that are remembered.
   */
  endPulses(now: Millis, wanted: boolean): Placed {
    if (now > this.#arrived) this.#arrived = now;
    if (wanted || this.#unwantedFrom === undefined) this.#unwantedFrom = millis(now + UNWANTED_MS);
    if (wanted !== this.#wanted) this.#want(wanted);
    const batch = new Batch();
    const placed = new Placed(batch, this.#undone);
    for (const [second, tracks] of this.#due) {
      if (second * 1000 > now) continue;
      this.#due.delete(second);
      this.#listed -= tracks.length;
      for (const track of tracks) {
        if (track.dueAt !== second) continue;
        track.dueAt = 0;
        if (track.ended) continue;
        if (pulseEnd(track.time, this.#rules) > now) {
          this.#await(track);
          continue;
        }
        // Prometheus would drop a marker that is older.
        if (now - track.time <= this.#rules.ageMaxMs) placed.entries.push(this.#end(track.series, track));
        track.place(track.time, true, batch, this.#rules);
      }
    }
    return placed;
  }

  #end(series: SeriesText, pulse: Pulse): NewEntry {
    return { kind: 'end', series, value: 0, time: pulseEnd(pulse.time, this.#rules), arrived: this.#arrived };
  }

  get #isPressed(): boolean {
    return this.#memory.held > this.#memory.bytesMax * PRESSED_SHARE;
  }

  /** Throws an UnavailableError. */
  #makeRoom(bytes: number, untold: number, sender: Sender | undefined): void {
    if (this.#lastRoom.has(bytes, untold, sender)) return;
    const isDue = this.#arrived >= this.#sweptAt + SWEEP_EVERY_MS;
    if (isDue || this.#refusedSince >= this.#tracks.size * SWEEP_REFUSED_SHARE) this.#sweep();
    if (this.#lastRoom.has(bytes, untold, sender)) return;
    this.#refusedSince += 1;
    this.#memory.refused += 1;
    throw memoryFull("pulses that haven't ended use all the memory that memory.max leaves for series");
  }

  #add(track: Track): void {
    this.#tracks.set(track.series, track);
    this.#memory.force(trackBytes(track.series));
    this.#await(track);
    if (this.#tracks.size >= this.#sweepAt || this.#memory.held >= this.#sweepAtBytes) this.#sweep();
  }

  #forget(track: Track): void {
    if (this.#tracks.delete(track.series)) this.#memory.give(trackBytes(track.series));
    // It may still stand in a list, where nothing is to be done for it.
    track.ended = true;
    track.dueAt = 0;
    this.#clearLists();
  }

  readonly #undone = (track: Track, hasPulse: boolean): void => {
    const known = this.#tracks.get(track.series);
    // It may have been swept out meanwhile.
    if (known === undefined && hasPulse) this.#add(track);
    if (known !== track) return;
    if (hasPulse) this.#await(track);
    else this.#forget(track);
  };

  #want(wanted: boolean): void {
    this.#wanted = wanted;
    this.#due.clear();
    this.#listed = 0;
    for (const track of this.#tracks.values()) {
      track.dueAt = 0;
      this.#await(track);
    }
  }

  #await(track: Track): void {
    if (!this.#wanted || track.ended) return;
    const second = Math.ceil(pulseEnd(track.time, this.#rules) / 1000);
    // One that is too early is looked at then, and listed anew; one that is too late can be, after an event that was refused.
    if (track.dueAt !== 0 && track.dueAt <= second) return;
    const due = this.#due.get(second);
    if (due === undefined) this.#due.set(second, [track]);
    else due.push(track);
    track.dueAt = second;
    this.#listed += 1;
  }

  /** Series that are refused, or swept out, would stay in memory until their pulses were over. */
  #clearLists(): void {
    if (this.#listed <= this.#tracks.size * LISTED_SHARE + LISTED_FREE) return;
    this.#listed = 0;
    for (const [second, tracks] of this.#due) {
      const left = tracks.filter(({ dueAt }) => dueAt === second);
      if (left.length === 0) this.#due.delete(second);
      else this.#due.set(second, left);
      this.#listed += left.length;
    }
  }

  /**
   * Forgets series whose latest time lies so far back that no sender's time can meet it, then others, oldest first, but for those whose
   * end may be wanted; recent ones only for want of memory.
   */
  #sweep(): void {
    this.#sweptAt = this.#arrived;
    this.#refusedSince = 0;
    const unreachable = this.#arrived - this.#rules.ageMaxMs - this.#rules.pulseWidthMs;
    for (const track of this.#tracks.values()) if (track.time < unreachable) this.#forget(track);
    this.#forgetUpTo(
      this.#arrived - RECENT_MS,
      (track) => this.#mayBeEnded(track),
      () => this.#tracks.size >= SWEEP_AT_SERIES || this.#isPressed,
    );
    this.#forgetUpTo(
      this.#arrived,
      ({ ended }) => !ended && this.#wanted,
      () => this.#isPressed,
    );
    this.#sweepAt = Math.max(SWEEP_AT_SERIES, Math.floor(this.#tracks.size * 1.25));
    this.#sweepAtBytes = Math.max(this.#memory.bytesMax * PRESSED_SHARE, this.#memory.held * 1.25);
  }

  /** Forgets series of which nothing lies beyond a time, and that are not to be kept, while there are too many. */
  #forgetUpTo(time: number, isKept: (track: Track) => boolean, areTooMany: () => boolean): void {
    for (const track of this.#tracks.values()) {
      if (!areTooMany()) return;
      const latest = track.ended ? pulseEnd(track.time, this.#rules) : track.time;
      if (latest > time || isKept(track)) continue;
      this.#forget(track);
      this.#floor = millis(Math.max(this.#floor, latest));
    }
  }

  /** Whether somebody wants the pulse's end, or may do so by the time that it is over. */
  #mayBeEnded({ time, ended }: Track): boolean {
    if (ended || this.#wanted) return !ended;
    const isUnwanted = this.#unwantedFrom !== undefined && this.#arrived > this.#unwantedFrom;
    return !isUnwanted && pulseEnd(time, this.#rules) >= this.#arrived;
  }
}
