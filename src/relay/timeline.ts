import type { Entry, NewEntry } from '../core/entry.ts';
import type { Event } from '../core/event.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Pulse, TimeRules } from '../core/pulse.ts';
import { finalTime, isOver, pulseEnd } from '../core/pulse.ts';
import type { SeriesText } from '../core/series.ts';
import { Unwritten } from './unwritten.ts';

/** Beyond this many series those that can't matter any more are swept out. */
const SWEEP_AT_SERIES = 50_000;

/** What to write for some events. Whoever writes it tells what became of it: until then it may or may not be in the log. */
export interface Placed {
  readonly entries: readonly NewEntry[];
  /** Events that did not get the time that they were sent with, or arrived at. */
  readonly retimed: number;
  written(): void;
  undo(): void;
}

/**
 * Gives each event its final time, and ends pulses (guarantee G8): the times of a series strictly increase, and no event stands at
 * or before an end marker that may have been delivered. A clock that is set back does not turn the log's time back.
 */
export class Timeline {
  readonly #rules: TimeRules;
  #arrived = millis(0);
  readonly #pulses = new Map<SeriesText, Pulse>();
  readonly #unwritten = new Unwritten();
  /** Series whose pulse may be over, by the second at which it may be. A series stands in one of them at most. */
  readonly #due = new Map<number, SeriesText[]>();
  readonly #isDue = new Set<SeriesText>();
  /** No series that was swept out has a time above this. */
  #floor = millis(0);
  #wanted = false;
  #sweepAt = SWEEP_AT_SERIES;

  constructor(rules: TimeRules) {
    this.#rules = rules;
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
      if (kind === 'event') this.#set(series, { time, ended: false });
      else this.#set(series, { time: millis(time - pulseWidthMs), ended: true });
    }
  }

  get rules(): TimeRules {
    return this.#rules;
  }

  /** How many series it remembers. */
  get size(): number {
    return this.#pulses.size;
  }

  /** Places events that arrive now: each gets its time, behind the end of its series' earlier pulse where that is over. */
  place(events: readonly Event[], now: Millis): Placed {
    if (now > this.#arrived) this.#arrived = now;
    const arrived = this.#arrived;
    const entries: NewEntry[] = [];
    const placed = new Map<SeriesText, Pulse>();
    const batch = this.#batch(placed);
    let retimed = 0;
    for (const { series, value, sent } of events) {
      const latest = this.#pulses.get(series);
      // An end that is on its way to the log may not get there: the event behind it brings it once more, which changes nothing.
      const onItsWay = placed.has(series) ? undefined : this.#unwritten.endOf(series, this.#rules);
      if (onItsWay !== undefined) entries.push(this.#end(series, onItsWay));
      const time = finalTime(arrived, sent, latest, this.#floor, this.#rules);
      if (time !== (sent ?? arrived)) retimed += 1;
      if (latest !== undefined && isOver(latest, time, this.#rules)) entries.push(this.#end(series, latest));
      entries.push({ kind: 'event', series, value, time, arrived });
      this.#place(series, { time, ended: false }, placed);
    }
    return { entries, retimed, ...batch };
  }

  /**
   * Ends the pulses that are over now. While nobody shows their ends (`wanted`), they cost no place in the log; who comes first to show
   * them still gets the ends of pulses that are remembered.
   */
  endPulses(now: Millis, wanted: boolean): Placed {
    if (now > this.#arrived) this.#arrived = now;
    if (wanted && !this.#wanted)
      for (const [series, pulse] of this.#pulses) if (!pulse.ended) this.#await(series, pulse);
    this.#wanted = wanted;
    const entries: NewEntry[] = [];
    const placed = new Map<SeriesText, Pulse>();
    const batch = this.#batch(placed);
    for (const [second, series] of this.#due) {
      if (second * 1000 > now) continue;
      this.#due.delete(second);
      for (const each of series) {
        this.#isDue.delete(each);
        const pulse = this.#pulses.get(each);
        if (pulse === undefined || pulse.ended) continue;
        if (pulseEnd(pulse.time, this.#rules) > now) {
          this.#await(each, pulse);
          continue;
        }
        if (!wanted) continue;
        // Prometheus would drop a marker that is older.
        if (now - pulse.time <= this.#rules.ageMaxMs) entries.push(this.#end(each, pulse));
        this.#place(each, { ...pulse, ended: true }, placed);
      }
    }
    return { entries, retimed: 0, ...batch };
  }

  #end(series: SeriesText, pulse: Pulse): NewEntry {
    return { kind: 'end', series, value: 0, time: pulseEnd(pulse.time, this.#rules), arrived: this.#arrived };
  }

  #place(series: SeriesText, pulse: Pulse, placed: Map<SeriesText, Pulse>): void {
    this.#unwritten.add(series, placed, this.#pulses.get(series));
    placed.set(series, pulse);
    this.#set(series, pulse);
  }

  /** What becomes of a batch. Taken back, it leaves what was placed on top of it, or else what is in the log. */
  #batch(placed: ReadonlyMap<SeriesText, Pulse>): Pick<Placed, 'written' | 'undo'> {
    return {
      written: () => {
        for (const series of placed.keys()) this.#unwritten.written(series, placed);
      },
      undo: () => {
        for (const series of placed.keys()) {
          const left = this.#unwritten.undo(series, placed);
          if (left === undefined) this.#pulses.delete(series);
          else this.#set(series, left);
        }
      },
    };
  }

  #set(series: SeriesText, pulse: Pulse): void {
    this.#pulses.set(series, pulse);
    if (!pulse.ended) this.#await(series, pulse);
    if (this.#pulses.size >= this.#sweepAt) this.#sweep();
  }

  #await(series: SeriesText, pulse: Pulse): void {
    if (this.#isDue.has(series)) return;
    const second = Math.ceil(pulseEnd(pulse.time, this.#rules) / 1000);
    const due = this.#due.get(second);
    if (due === undefined) this.#due.set(second, [series]);
    else due.push(series);
    this.#isDue.add(series);
  }

  /** Forgets series whose latest time lies so far back that no sender's time can meet it, then others whose pulse is over, oldest first. */
  #sweep(): void {
    const unreachable = this.#arrived - this.#rules.ageMaxMs - this.#rules.pulseWidthMs;
    for (const [series, { time }] of this.#pulses) if (time < unreachable) this.#pulses.delete(series);
    for (const [series, pulse] of this.#pulses) {
      if (this.#pulses.size < SWEEP_AT_SERIES) break;
      const end = pulseEnd(pulse.time, this.#rules);
      if (!pulse.ended && (this.#wanted || end >= this.#arrived)) continue;
      this.#pulses.delete(series);
      this.#floor = millis(Math.max(this.#floor, end));
    }
    this.#sweepAt = Math.max(SWEEP_AT_SERIES, Math.floor(this.#pulses.size * 1.25));
  }
}
