import type { RefusedError } from '../../core/errors.ts';

/**
 * What of a delivery can be left out, so that the rest of it is stored: senders of webhooks can't mend what they send, and most never send it again.
 *
 * - `event`: a whole item
 * - `label`: a label without a value that can be one, or one too many
 * - `time`: a time that can't be read; the event gets the time of its arrival
 */
export const LEFT_OUT_PARTS = ['event', 'label', 'time'] as const;
export type LeftOutPart = (typeof LEFT_OUT_PARTS)[number];

/** What was left out, and why. */
export interface LeftOut {
  /** Which item it was, from 0. */
  readonly item: number;
  readonly part: LeftOutPart;
  readonly error: RefusedError;
}

/** How many of them are told, of a delivery that may hold any number. */
const TOLD_MAX = 10;

/** What was left out of one delivery: all of it is counted, and the first is told. */
export class LeftOuts {
  readonly counts: Record<LeftOutPart, number> = { event: 0, label: 0, time: 0 };
  readonly told: LeftOut[] = [];
  /** The item that is being read. */
  item = 0;

  get isEmpty(): boolean {
    return this.told.length === 0;
  }

  /** `why` is asked only where it is told, once for all of the `count`. */
  add(part: LeftOutPart, why: () => RefusedError, count = 1): void {
    this.counts[part] += count;
    if (this.told.length < TOLD_MAX) this.told.push({ item: this.item, part, error: why() });
  }
}
