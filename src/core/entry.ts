import type { Millis } from './millis.ts';
import type { Offset } from './offset.ts';
import type { SeriesText } from './series.ts';

/** What an entry is: an event, or the end of a pulse. */
export type EntryKind = 'event' | 'end';

/** What is about to be appended: an entry that has no offset yet. */
export interface NewEntry {
  readonly kind: EntryKind;
  readonly series: SeriesText;
  /** float64; of no meaning in an end. */
  readonly value: number;
  /** The entry's final time: the same for every scraper, strictly increasing within a series. */
  readonly time: Millis;
  /** When the server took it in; never decreases along the log. */
  readonly arrived: Millis;
}

/** What the log holds. */
export interface Entry extends NewEntry {
  readonly offset: Offset;
}

/** What an entry takes in memory beside its series' text: the object and its numbers, in bytes. An estimate. */
export const ENTRY_BYTES = 100;

/** What a unit of a text takes in memory, in bytes: V8 keeps all of a text in two bytes a unit where one unit needs them. */
export function unitBytes(text: string): 1 | 2 {
  return /[\u0100-\uffff]/.test(text) ? 2 : 1;
}
