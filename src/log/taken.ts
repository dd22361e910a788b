import type { Entry } from '../core/entry.ts';
import { ENTRY_BYTES } from '../core/entry.ts';
import type { ReadLimits } from './entryLog.ts';

/** What a read has taken so far. */
export class Taken {
  readonly entries: Entry[] = [];
  readonly #limits: ReadLimits;
  #bytes = 0;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.entries.length >= this.#limits.entriesMax || this.#bytes >= this.#limits.bytesMax;
  }

  /** Takes one more, of whose series each unit takes so many bytes. */
  add(entry: Entry, unitBytes: number): void {
    this.entries.push(entry);
    this.#bytes += ENTRY_BYTES + entry.series.length * unitBytes;
  }
}
