import { textBytes } from '../core/memory.ts';
import type { Millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';

/** Something that happened once, checked and ready for the log; the log gives it its offset, the timeline its time. */
export interface Event {
  readonly series: SeriesText;
  readonly value: number;
  /** The time that its sender gave it, if any. */
  readonly sent?: Millis;
  /** What tells it apart from all others; it is stored once, however often it is sent. */
  readonly id?: string;
  /** How many values of its labels were cut to be stored. */
  readonly truncated?: number;
  /** How many labels were left out, since there were too many. */
  readonly leftOut?: number;
}

/** What an event takes beside its texts until it is stored, and its outcome until that is told, in bytes. An estimate. */
const EVENT_BYTES = 320;

/** What an event takes in memory, in bytes. */
export function eventBytes({ series, id }: Event): number {
  return EVENT_BYTES + textBytes(series) + (id === undefined ? 0 : textBytes(id));
}
