import type { DatabaseSync } from 'node:sqlite';
import { UnavailableError } from '../../core/errors.ts';
import { isCorrupt, isNoRoom } from './sqliteError.ts';

const RETRY_AFTER_SECONDS = 5;

/**
 * Runs work in transactions, one at a time. What is done is committed when `run` returns, though not yet synced: it survives this
 * process. Where there is no room an UnavailableError is thrown and nothing is left behind; other errors are passed on.
 */
export class Transactions {
  readonly #db: DatabaseSync;
  readonly #folder: string;
  #mend: () => boolean = () => false;

  constructor(db: DatabaseSync, folder: string) {
    this.#db = db;
    this.#folder = folder;
  }

  /** What is to be done where a part of the file is damaged; it returns whether that is mended, so that the work can be done again. */
  mendBy(mend: () => boolean): void {
    this.#mend = mend;
  }

  /** Does what changes nothing, and once more where it met damage that could be mended. */
  mended<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!isCorrupt(error) || !this.#mend()) throw error;
      return read();
    }
  }

  /** As `runAsIs`, and once more where it met damage that could be mended. */
  run<T>(work: () => T, makesRoom = true): T {
    return this.mended(() => this.runAsIs(work, makesRoom));
  }

  /**
   * Work that finds no room is done once more after a checkpoint: that moves what the WAL holds into the database, and the WAL is
   * then written from its beginning again, in the room that it has already. It helps while the database has free pages inside. One
   * that must grow on a full disk can't even be trimmed, since a removal is written to the WAL too: then room must come from
   * elsewhere, and all goes on by itself. `makesRoom` is false where that was just tried. Damage is not mended.
   */
  runAsIs<T>(work: () => T, makesRoom = true): T {
    try {
      return this.#once(work);
    } catch (error) {
      if (!isNoRoom(error, this.#folder)) throw error;
      if (!makesRoom) throw noRoom(error);
    }
    this.#checkpoint();
    try {
      return this.#once(work);
    } catch (error) {
      throw isNoRoom(error, this.#folder) ? noRoom(error) : error;
    }
  }

  /** Does work of which each statement is a transaction. Throws an UnavailableError where there is no room for one of them. */
  apart<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw isNoRoom(error, this.#folder) ? noRoom(error) : error;
    }
  }

  #once<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite rolls back by itself on some errors: https://www.sqlite.org/lang_transaction.html
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #checkpoint(): void {
    try {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // As with SQLite's own checkpoints, what did not work stays in the WAL and is tried again by the next.
    }
  }
}

/** Says that there is no room, and why, if that is known. */
export function noRoom(cause: unknown): UnavailableError {
  return new UnavailableError(
    'log_full',
    "the disk is full, so the log can't be written; free some space, and the server continues by itself",
    RETRY_AFTER_SECONDS,
    { cause },
  );
}
