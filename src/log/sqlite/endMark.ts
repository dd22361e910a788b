import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { COUNTED_MAX } from '../../core/stored.ts';

/** The mark's file, beside the database. */
export const MARK_FILE = 'events.end';
/** How old the mark may get, in ms. */
const MARKED_MS_MAX = 1_000;
/** How many entries may be durable, and known to somebody, that it does not speak of. */
export const UNMARKED_MAX = 2_000;

const LINE = /^end (\d{1,16}) crc ([0-9a-f]{1,8})\s*$/;

/**
 * Says outside the database how far the log was durable. SQLite reads its WAL up to the first frame that is not what was written, and takes
 * what stands behind it for never committed: that entries were lost there shows only by this.
 *
 * It is written in place, without a sync of its own: a write of less than a sector, which may be old after a loss of power, and then speaks of
 * less. It never says more than was durable.
 */
export class EndMark {
  readonly #file: string;
  #descriptor: number | undefined;
  #end = 0;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** What a mark says; 0 where there is none that can be read. */
  static read(file: string): number {
    try {
      const [, end = '', checksum = ''] = LINE.exec(readFileSync(file, 'latin1')) ?? [];
      const isWhole = Number.parseInt(checksum, 16) === crc32(end) && Number(end) <= COUNTED_MAX;
      return isWhole ? Number(end) : 0;
    } catch {
      return 0;
    }
  }

  /** Begins anew, with what is durable now. */
  start(end: number): void {
    try {
      this.#descriptor = openSync(this.#file, 'w', 0o600);
    } catch {
      // A log that can be read and written is of use without a mark, too.
      return;
    }
    this.#end = end;
    this.#write();
  }

  /** What is up to here is durable; to be called before anybody hears of it. */
  note(end: number): void {
    this.#end = end;
    if (end - this.#written >= UNMARKED_MAX / 2) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), MARKED_MS_MAX).unref();
  }

  /** After the database was closed well. */
  close(): void {
    this.#write();
    if (this.#descriptor === undefined) return;
    try {
      fdatasyncSync(this.#descriptor);
    } catch {
      // It then may speak of less.
    }
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#descriptor === undefined) return;
    // Of one length, so that nothing of the line before is left.
    const line = `end ${this.#end} crc ${crc32(String(this.#end)).toString(16)}`.padEnd(40);
    try {
      writeSync(this.#descriptor, `${line}\n`, 0);
      this.#written = this.#end;
    } catch {
      // A full disk, say: the next one is tried as well.
    }
  }
}
