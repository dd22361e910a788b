import type { Pulse, TimeRules } from '../core/pulse.ts';
import { isOver } from '../core/pulse.ts';
import type { SeriesText } from '../core/series.ts';

/** The pulses that one batch placed, by series. It stands for the batch as well. */
type Batch = ReadonlyMap<SeriesText, Pulse>;

interface Waiting {
  /** The series' latest pulse in the log; undefined where there is none. */
  inLog: Pulse | undefined;
  /** Batches that hold the series and that may or may not get into the log, oldest first. */
  batches: Batch[];
}

/**
 * What was placed and is not in the log yet. Several batches of one series may be on their way at once, and a full disk may refuse
 * some of them and take others: so what to go back to is not what was there before, but what got into the log. (What is placed on top
 * of an event that is then refused may lack the end of the pulse before: it follows that end within the time of one write, or its
 * sender set it ahead.)
 */
export class Unwritten {
  readonly #waiting = new Map<SeriesText, Waiting>();

  /** A batch is about to place a pulse above `latest`. */
  add(series: SeriesText, batch: Batch, latest: Pulse | undefined): void {
    const waiting = this.#waiting.get(series);
    if (waiting === undefined) this.#waiting.set(series, { inLog: latest, batches: [batch] });
    else if (!waiting.batches.includes(batch)) waiting.batches.push(batch);
  }

  /** The pulse in the log whose end was placed and has not got there yet; undefined where there is none. */
  endOf(series: SeriesText, rules: TimeRules): Pulse | undefined {
    const waiting = this.#waiting.get(series);
    const inLog = waiting?.inLog;
    if (waiting === undefined || inLog === undefined || inLog.ended) return undefined;
    const placed = waiting.batches[0]?.get(series);
    return placed !== undefined && (placed.ended || isOver(inLog, placed.time, rules)) ? inLog : undefined;
  }

  written(series: SeriesText, batch: Batch): void {
    const waiting = this.#waiting.get(series);
    if (waiting === undefined) return;
    waiting.inLog = batch.get(series);
    this.#remove(series, waiting, batch);
  }

  /** Takes a batch back. Tells what the series' latest pulse is now; undefined where it has none. */
  undo(series: SeriesText, batch: Batch): Pulse | undefined {
    const waiting = this.#waiting.get(series);
    if (waiting === undefined) return undefined;
    this.#remove(series, waiting, batch);
    return waiting.batches.at(-1)?.get(series) ?? waiting.inLog;
  }

  #remove(series: SeriesText, waiting: Waiting, batch: Batch): void {
    waiting.batches = waiting.batches.filter((each) => each !== batch);
    if (waiting.batches.length === 0) this.#waiting.delete(series);
  }
}
