import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { DamageListener, Repair, RepairListener } from '../log.ts';
import { DamageWatch } from './damageWatch.ts';
import { EndMark, MARK_FILE, UNMARKED_MAX } from './endMark.ts';
import { EntryTable } from './entryTable.ts';
import { makeFolder, syncFolders } from './folder.ts';
import { IdTable } from './idTable.ts';
import { InPlace } from './inPlace.ts';
import { Mender } from './mender.ts';
import { NoteTable } from './noteTable.ts';
import { openDatabase, pragma } from './openDatabase.ts';
import { askForRebuild, isRebuildAsked, noteRebuilt, rebuild } from './rebuild.ts';
import { ScraperTable, recordOf } from './scraperTable.ts';
import { damagedError, isBusyCopy, isCorrupt, isNoRoom, openError } from './sqliteError.ts';
import type { Sync } from './sync.ts';
import { Transactions, noRoom } from './transactions.ts';
import { nodeSqlite } from './nodeSqlite.ts';

/** What a copy leaves free on the disk at least. */
const ROOM_LEFT_BYTES = 64 * 1024 * 1024;
/** Pages that are copied at once: others wait for no more than that. */
const COPIED_PAGES = 64;
/** A copy that meets a write at its first step begins anew, so often, with a pause in ms. One in a hundred does under load. */
const COPY_TRIES = 50;
const COPY_PAUSE_MS = 2;

/**
 * What can be missing at the end of a log: all that it had. That is `store.entriesMax`, which is a thousand million at most, and what comes until it is
 * trimmed. A position further beyond was never there.
 */
const LOST_MAX = 2_000_000_000;

/** Who hears of what. */
interface Listeners {
  readonly damage: DamageListener;
  readonly repair: RepairListener;
}

/** The log's files while they are open, and the tables in them. */
export class OpenFiles {
  readonly entries: EntryTable;
  readonly ids: IdTable;
  readonly scrapers: ScraperTable;
  readonly notes: NoteTable;
  readonly #file: string;
  readonly #mark: EndMark;
  readonly #watch: DamageWatch;
  readonly #db: DatabaseSync;
  #hasIds = false;
  readonly #wal: FileHandle;
  readonly #inPlace: InPlace;

  private constructor(db: DatabaseSync, wal: FileHandle, file: string, marked: number, listeners: Listeners) {
    const folder = dirname(file);
    this.#file = file;
    this.#watch = new DamageWatch(folder, listeners.damage);
    this.#mark = new EndMark(join(folder, MARK_FILE));
    const transactions = new Transactions(db, folder);
    this.#db = db;
    this.#wal = wal;
    this.#inPlace = new InPlace(file);
    const mender = new Mender(db, transactions, marked, (repair) => this.#repaired(repair, listeners.repair));
    mender.checkSmall();
    transactions.mendBy(() => mender.mend());
    this.ids = new IdTable(db, transactions);
    this.#hasIds = true;
    this.entries = new EntryTable(db, transactions, this.ids, this.#watch);
    this.scrapers = new ScraperTable(db, transactions);
    this.notes = new NoteTable(db, transactions);
  }

  /**
   * Opens the database, and makes it where it is missing. What an earlier process committed and did not sync is synced before
   * anybody can read it. Where it can't be opened or written for damage, it is rebuilt of what can be read. Throws a LogOpenError.
   */
  static async open(file: string, sync: Sync, listeners: Listeners, pagesMax?: number): Promise<OpenFiles> {
    try {
      const changedFolders = await makeFolder(dirname(file));
      // Who moved the database away begins with an empty log, and knows what is not in it.
      const marked = existsSync(file) ? EndMark.read(join(dirname(file), MARK_FILE)) : 0;
      const rebuilt = (): boolean => {
        const kept = existsSync(file) ? rebuild(file, marked) : undefined;
        noteRebuilt(file);
        if (kept !== undefined) listeners.repair({ part: 'file', lost: 0, kept });
        return kept !== undefined;
      };
      if (isRebuildAsked(file)) rebuilt();
      const opened = () => OpenFiles.#open(file, marked, sync, listeners, changedFolders, pagesMax);
      try {
        return await opened();
      } catch (error) {
        if (!isCorrupt(error) || !rebuilt()) throw error;
        return await opened();
      }
    } catch (error) {
      throw openError(file, error);
    }
  }

  /** Throws what SQLite throws where tables can't be read, and a LogOpenError where it can't be opened. */
  static async #open(
    file: string,
    marked: number,
    sync: Sync,
    listeners: Listeners,
    changedFolders: readonly string[],
    pagesMax?: number,
  ): Promise<OpenFiles> {
    let db: DatabaseSync | undefined;
    let wal: FileHandle | undefined;
    try {
      db = openDatabase(file, (lost) => listeners.repair({ part: 'ids', lost }));
      if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${pagesMax}`);
      // SQLite deletes the -wal only when the last connection closes, and starts it over in place: this stays the same file.
      wal = await open(`${file}-wal`, 'r+');
      const files = new OpenFiles(db, wal, file, marked, listeners);
      files.#goOnBehind(marked, `${file}-wal`);
      await sync(wal, 1);
      await syncFolders(changedFolders);
      files.#mark.start(files.entries.end);
      return files;
    } catch (error) {
      await wal?.close();
      db?.close();
      throw error;
    }
  }

  /** The next start is to repair what keeps this process from writing. */
  askForRebuild(why: string): void {
    askForRebuild(this.#file, why);
  }

  #repaired(repair: Repair, listener: RepairListener): void {
    if (repair.part === 'ids' && this.#hasIds) this.ids.reload();
    listener(repair);
  }

  /** What is up to here is durable; to be called before anybody hears of it. */
  noteEnd(end: Offset): void {
    this.#mark.note(end);
  }

  /**
   * Where entries were durable, or shown to a scraper, that are not there any more: goes on behind the furthest of them. Offsets that others may
   * have seen are not given again, also of those that the mark did not speak of yet. Throws a LogOpenError for a position that no log can have had.
   */
  #goOnBehind(marked: number, wal: string): void {
    const { end } = this.entries;
    const known = Math.max(end, marked);
    let most = marked;
    for (const { id, position } of this.scrapers.load()) {
      const { head } = position;
      if (head > known + LOST_MAX) {
        const why = `position.head is ${head}, but the log had reached ${known}; it can't be more than ${LOST_MAX} beyond`;
        throw damagedError(this.#db, recordOf(id), { why });
      }
      if (head > most) most = head;
    }
    if (most <= end) return;
    this.#watch.keepFile(wal, end);
    this.entries.addHole(most, offset(most + UNMARKED_MAX));
    this.#watch.passedOver(end, offset(most), 'the end of the log is missing; the -wal file may be damaged');
  }

  /** Makes durable whatever was committed before, for so many who wait. Rejects with a LogDamagedError where the files are gone from the folder. */
  async sync(sync: Sync, waiting: number): Promise<void> {
    await sync(this.#wal, waiting);
    this.#inPlace.checkWal();
  }

  /** Throws a LogDamagedError where the files are gone from the folder. */
  checkInPlace(): void {
    this.#inPlace.check();
  }

  /** Copies the database, a few pages at a time. What is written meanwhile is copied, too. */
  async copyTo(file: string): Promise<void> {
    const copies = dirname(file);
    mkdirSync(copies, { recursive: true, mode: 0o700 });
    // A copy that fills the disk would keep the log itself from being written.
    const { bavail, bsize } = statfsSync(copies);
    const needed = pragma(this.#db, 'page_count') * pragma(this.#db, 'page_size') + ROOM_LEFT_BYTES;
    if (bavail * bsize < needed)
      throw noRoom(`a copy needs ${needed} bytes, but only ${bavail * bsize} are free`);
    for (let triesLeft = COPY_TRIES - 1; ; triesLeft -= 1) {
      try {
        await nodeSqlite().backup(this.#db, file, { rate: COPIED_PAGES });
        return;
      } catch (error) {
        if (!isBusyCopy(error) || triesLeft === 0) throw isNoRoom(error, copies) ? noRoom(error) : error;
        await sleep(COPY_PAUSE_MS);
      }
    }
  }

  /** Closing the database moves what the WAL holds into it, synced, and removes the WAL. */
  async close(): Promise<void> {
    await this.#wal.close();
    this.#db.close();
    this.#mark.close();
  }
}
