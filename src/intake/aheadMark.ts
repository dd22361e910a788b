import type { Entry } from '../core/entry.ts';
import type { Offset } from '../core/offset.ts';
import { START, offset } from '../core/offset.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { Notes } from '../log/notes.ts';
import { NoteLostError } from '../log/notes.ts';

const NOTE_KEY = 'ahead_mark';

/** An entry is ahead where its time lies further beyond its arrival than this, in ms: events of one millisecond lie close behind each other. */
export const AHEAD_MS = 500;

/** Entries beyond `last`, up to and with `upTo`, are not ahead. */
export interface Mark {
  readonly last: Offset;
  readonly upTo: Offset;
}

const NOTHING: Mark = { last: START, upTo: START };

/**
 * Marks the last entry in the log that is ahead of its arrival. Few senders are, and a start has to find what is: it need not look through what
 * this vouches for. The mark may be old, as after a crash: then it vouches for less.
 */
export class AheadMark {
  readonly #log: EntryLog & Notes;
  #last: Offset = START;
  #upTo: Offset = START;
  #saved = NOTHING;

  constructor(log: EntryLog & Notes) {
    this.#log = log;
    log.onCommitted((entries) => this.note(entries));
  }

  /**
   * Loads the mark that was saved, or one that vouches for nothing. To be called before anything is appended; `note` is then to be given, in
   * order, what the log holds beyond `upTo` and may be ahead.
   */
  async load(): Promise<Mark> {
    this.#saved = readMark(await this.#loadNote(), this.#log.state().end);
    this.#last = this.#saved.last;
    this.#upTo = this.#saved.upTo;
    return this.#saved;
  }

  async #loadNote(): Promise<string | undefined> {
    try {
      return await this.#log.loadNote(NOTE_KEY);
    } catch (error) {
      if (error instanceof NoteLostError) return undefined;
      throw error;
    }
  }

  /** Learns of entries, in the order of the log. */
  note(entries: readonly Entry[]): void {
    for (const { time, arrived, offset: at } of entries) {
      if (time > arrived + AHEAD_MS && at > this.#last) this.#last = at;
      this.#upTo = at;
    }
  }

  /** Saves the mark, if it moved. */
  async save(): Promise<void> {
    const mark = { last: this.#last, upTo: this.#upTo };
    if (mark.upTo === this.#saved.upTo) return;
    await this.#log.saveNote(NOTE_KEY, JSON.stringify(mark));
    this.#saved = mark;
  }
}

/** A note that says nothing of use, or of more than the log has, is as good as none: the mark only saves work. */
function readMark(note: string | undefined, end: Offset): Mark {
  try {
    const { last, upTo } = JSON.parse(note ?? '') as Partial<Mark>;
    const mark = { last: offset(last ?? Number.NaN), upTo: offset(upTo ?? Number.NaN) };
    return mark.last <= mark.upTo && mark.upTo <= end ? mark : NOTHING;
  } catch {
    return NOTHING;
  }
}
