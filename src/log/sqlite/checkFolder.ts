import { existsSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import type { Damage } from '../log.ts';
import { LogOpenError } from '../log.ts';
import { BlockReader } from './blockReader.ts';
import { DamageWatch } from './damageWatch.ts';
import { EndMark, MARK_FILE } from './endMark.ts';
import { trimmedFault } from './entryTable.ts';
import { HASH_BYTES } from './idTable.ts';
import { metaFaults, readMeta } from './meta.ts';
import { pragma } from './openDatabase.ts';
import { readScrapers, recordOf } from './scraperTable.ts';
import { APPLICATION_ID, SCHEMA_VERSION, SCHEMA_VERSION_MIN } from './schema.ts';
import { tablesAside } from './setAside.ts';
import type { OpenAdvice } from './sqliteError.ts';
import { isCorrupt, openError } from './sqliteError.ts';
import { nodeSqlite } from './nodeSqlite.ts';

/** What a look at a log's folder found. */
export interface FolderReport {
  readonly isWell: boolean;
  readonly file: string;
  readonly schema: number;
  /** Of the newest entry, and of the newest that is gone. */
  readonly end: number;
  readonly trimmed: number;
  readonly blocks: number;
  readonly scrapers: number;
  readonly ids: number;
  /** Entries that can't be read any more. */
  readonly lost: number;
  /** Tables that were damaged, were made anew, and are still in the file. */
  readonly aside: readonly string[];
  /** One line each. */
  readonly problems: readonly string[];
}

const NAME_A_LOG = 'name the folder of a log (store.path), or the file of a backup';
const FOR_CHECK: OpenAdvice = {
  busy: 'stop the server, or check a backup (oneshot log backup makes one)',
  notADatabase: `${NAME_A_LOG}; if it was a log, restore it from a backup`,
  damaged: 'restore it from a backup',
};

const READ_AT_ONCE = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024 };
const PROBLEMS_MAX = 100;
/** Ids that were never written. */
const WRONG_IDS = `SELECT count(*) FROM ids WHERE length(hash) <> ${HASH_BYTES}
  OR place NOT BETWEEN 1 AND ${COUNTED_MAX} OR arrived NOT BETWEEN 0 AND ${MOMENT_MAX}`;
/** The same from schema 6 on, where they say which entries they stand for, or nothing of it. */
const WRONG_PLACES = ` OR entry NOT BETWEEN 1 AND ${COUNTED_MAX} OR count NOT BETWEEN 1 AND ${COUNTED_MAX}
  OR (entry IS NULL) <> (count IS NULL)`;
/** The tables that are in use. */
const CHECKED = ['meta', 'scrapers', 'notes', 'ids', 'blocks'];

/** Whether a note can be what the counters saved. */
export type IsSnapshot = (note: string) => boolean;

/**
 * Looks at a log that no server has open, by its folder, or at a copy of one, by its file; changes nothing of it. Throws a LogOpenError
 * where that can't be done.
 */
export function checkFolder(path: string, isSnapshot: IsSnapshot): FolderReport {
  const isCopy = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  const file = isCopy ? resolve(path) : join(resolve(path), 'events.db');
  if (!existsSync(file))
    throw new LogOpenError(`no log in ${resolve(path)}: events.db is missing; ${NAME_A_LOG}`);
  // Also to read, SQLite makes an index of the WAL beside it, and leaves it.
  const made = [`${file}-shm`, `${file}-wal`].filter((each) => !existsSync(each));
  let db: DatabaseSync | undefined;
  try {
    db = new (nodeSqlite().DatabaseSync)(file, { readOnly: true, timeout: 0 });
    const schema = pragma(db, 'user_version');
    if (pragma(db, 'application_id') !== APPLICATION_ID)
      throw new LogOpenError(`${file} is not a log of this server; ${NAME_A_LOG}`);
    if (schema < SCHEMA_VERSION_MIN || schema > SCHEMA_VERSION)
      throw new LogOpenError(
        `${file} has schema ${schema}, but this version expects schema ${SCHEMA_VERSION_MIN} to ${SCHEMA_VERSION}; check it with the version that wrote it`,
      );
    // The mark beside a copy is that of another file.
    const marked = isCopy ? 0 : EndMark.read(join(file, '..', MARK_FILE));
    return new Look(db, file, schema, isSnapshot).report(marked);
  } catch (error) {
    throw openError(file, error, FOR_CHECK);
  } finally {
    db?.close();
    for (const each of made) rmSync(each, { force: true });
  }
}

/** One look at one file. */
class Look {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #schema: number;
  readonly #isSnapshot: IsSnapshot;
  readonly #problems: string[] = [];

  constructor(db: DatabaseSync, file: string, schema: number, isSnapshot: IsSnapshot) {
    this.#db = db;
    this.#file = file;
    this.#schema = schema;
    this.#isSnapshot = isSnapshot;
  }

  /** `marked` is what the log had reached, as far as is known. */
  report(marked: number): FolderReport {
    this.#integrity();
    const count = (sql: string) => this.#number(sql) ?? 0;
    const { trimmed, end, lost } = this.#entries(this.#trimmed());
    const scrapers = this.#scrapers(end);
    this.#notes();
    const ids = count('SELECT count(*) FROM ids');
    const wrong = count(this.#schema < 6 ? WRONG_IDS : WRONG_IDS + WRONG_PLACES);
    if (wrong > 0) this.#found(`${wrong} of ${ids} ids are damaged`);
    if (marked > end) this.#found(`the log ends at ${end}, but had reached ${marked}: its end is missing`);
    return {
      isWell: this.#problems.length === 0,
      file: this.#file,
      schema: this.#schema,
      end,
      trimmed,
      blocks: count('SELECT count(*) FROM blocks'),
      scrapers,
      ids,
      lost,
      aside: this.#try('the schema', () => tablesAside(this.#db)) ?? [],
      problems: this.#problems,
    };
  }

  #integrity(): void {
    // What was damaged, and has been made anew since, is of no interest; but with one of all tables SQLite looks at that, too.
    const parts = tablesAside(this.#db).length === 0 ? [PROBLEMS_MAX] : CHECKED;
    for (const part of parts)
      this.#try('the integrity check', () => {
        for (const row of this.#db.prepare(`PRAGMA integrity_check(${part})`).all()) {
          const [line] = Object.values(row);
          if (line !== 'ok') this.#found(`SQLite: ${String(line).replaceAll('\n', ' ')}`);
        }
      });
  }

  /** Up to where entries are gone, if the table that says so can be what was written. */
  #trimmed(): number | undefined {
    return this.#try('the table meta', () => {
      const faults = metaFaults(this.#db);
      for (const fault of faults) this.#found(`the table meta is damaged: ${fault}`);
      return faults.length > 0 ? undefined : readMeta(this.#db, 'trimmed');
    });
  }

  #entries(marked: number | undefined): { trimmed: number; end: number; lost: number } {
    const damages: Damage[] = [];
    const reader = new BlockReader(this.#db, new DamageWatch(undefined, (damage) => damages.push(damage)));
    const last = this.#try('the end of the log', () => reader.lastWhole());
    const fault = marked === undefined ? undefined : trimmedFault(marked, last?.block);
    // Where SQLite found damage, it may be that what is trimmed could not be removed.
    if (fault !== undefined && this.#problems.length === 0)
      this.#found(`the table meta is damaged: ${fault}`);
    const [firstEnd, count] = reader.firstBeyond(0) ?? [0, 0];
    const trimmed = marked ?? Math.max(0, firstEnd - count);
    const end = Math.max(trimmed, last?.end ?? 0);
    if (end > COUNTED_MAX) this.#found(`the table blocks is damaged: it ends at ${end}`);
    let lost = 0;
    for (let from = offset(trimmed); from < end;) {
      const read = reader.read(from, offset(end), READ_AT_ONCE);
      lost += read.lost;
      from = read.upTo;
    }
    for (const { after, upTo, why } of damages)
      this.#found(`entries ${after + 1} to ${upTo} can't be read: ${why}`);
    if (lost > 0 && damages.length === 0) this.#found(`${lost} entries were lost before`);
    return { trimmed, end, lost };
  }

  #scrapers(end: number): number {
    const all = this.#try('the scrapers', () => readScrapers(this.#db)) ?? [];
    for (const stored of all) {
      const { id } = stored;
      if ('why' in stored) this.#found(`${recordOf(id)} is damaged: ${stored.why}`);
      else if (stored.record.position.head > end)
        this.#found(
          `scraper ${JSON.stringify(id)} is at ${stored.record.position.head}, but the log ends at ${end}`,
        );
    }
    return all.length;
  }

  #notes(): void {
    const note = this.#try('the notes', () =>
      this.#db.prepare("SELECT text FROM notes WHERE key = 'event_counters'").get(),
    );
    if (note !== undefined && !this.#isSnapshot(String(note['text'])))
      this.#found('the event counters are damaged');
  }

  #number(sql: string): number | undefined {
    return this.#try(sql, () => Object.values(this.#db.prepare(sql).get() ?? {})[0] as number | undefined);
  }

  #try<T>(what: string, look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      this.#found(`${what}: ${(error as Error).message}`);
      return undefined;
    }
  }

  #found(problem: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
  }
}
