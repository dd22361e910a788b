import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { LogOpenError } from '../log.ts';
import { copyByKey } from './copyByKey.ts';
import { syncFolder } from './folder.ts';
import { isWell } from './integrity.ts';
import { nodeSqlite } from './nodeSqlite.ts';
import { openDatabase } from './openDatabase.ts';
import { SALVAGE } from './salvage.ts';
import { SCHEMA } from './schema.ts';
import { damagedError, isCorrupt } from './sqliteError.ts';

/** What a process leaves beside the database that could not write to it since it is damaged. */
const ASKED_SUFFIX = '.rebuild';

/** Asks the next start to look at the whole database, and to rebuild it where it is damaged. */
export function askForRebuild(file: string, why: string): void {
  try {
    writeFileSync(`${file}${ASKED_SUFFIX}`, `${why}\n`, { mode: 0o600 });
  } catch {
    // The next process will then meet the damage as this one did.
  }
}

export function isRebuildAsked(file: string): boolean {
  return existsSync(`${file}${ASKED_SUFFIX}`);
}

/** It was done, or there is nothing to be rebuilt. */
export function noteRebuilt(file: string): void {
  rmSync(`${file}${ASKED_SUFFIX}`, { force: true });
}

/** Less than this share of the entries would not be what was asked for: somebody should rather look. */
const ENTRIES_SHARE_MIN = 0.5;

/**
 * Writes a new database of all that can be read of one that is damaged, and puts it in its place; the damaged one stays beside it.
 * Returns how that is called; undefined where all was well. `marked`: the offset up to which the log is known to have been durable. Throws a
 * LogOpenError where it can't be done; then nothing is changed.
 */
export function rebuild(file: string, marked: number): string | undefined {
  const made = `${file}.new`;
  rmSync(made, { force: true });
  const db = openDatabase(file);
  try {
    if (isWell(db)) return undefined;
    const { bavail, bsize } = statfsSync(dirname(file));
    const needed = statSync(file).size;
    if (bavail * bsize < needed)
      throw new LogOpenError(
        `can't open the log ${file}: it is damaged, and to rebuild it needs ${needed} bytes of disk, of which ${bavail * bsize} are free; make room`,
      );
    makeEmpty(made);
    copyInto(db, made, marked);
  } catch (error) {
    rmSync(made, { force: true });
    throw isCorrupt(error) ? damagedError(db, 'the file', { cause: error }) : error;
  } finally {
    db.close();
  }
  if (existsSync(`${file}-wal`))
    throw new LogOpenError(`can't rebuild the log ${file}: its -wal can't be moved into it; check the disk`);
  const descriptor = openSync(made, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
  const kept = keep(file);
  // After a loss of power, names may be as they were in any order: a -wal that is there again would be read into the new file.
  syncFolder(dirname(file));
  renameSync(made, file);
  syncFolder(dirname(file));
  return kept;
}

function makeEmpty(file: string): void {
  const db = new (nodeSqlite().DatabaseSync)(file);
  db.exec(`BEGIN; ${SCHEMA} DELETE FROM meta; COMMIT`);
  db.close();
}

function copyInto(db: DatabaseSync, file: string, marked: number): void {
  db.prepare('ATTACH ? AS fresh').run(file);
  // It is synced as a whole once it is complete.
  db.exec(
    'PRAGMA fresh.journal_mode = MEMORY; PRAGMA fresh.synchronous = OFF; PRAGMA fresh.cache_size = -65536',
  );
  saveScrapers(db);
  const { ids, meta, notes } = SALVAGE;
  for (const [table, salvage] of Object.entries({ meta, notes, ids }))
    salvage(db, `main.${table}`, `fresh.${table}`, marked);
  const { trimmed } = db.prepare("SELECT value AS trimmed FROM fresh.meta WHERE key = 'trimmed'").get() as {
    trimmed: number;
  };
  copyByKey(db, {
    from: 'main.blocks',
    to: 'fresh.blocks',
    key: 'last',
    columns: ['last', 'count', 'arrived', 'text', 'checksum'],
    // What is trimmed and there yet could not be removed. Where the log is not known to have come so far, the start looks at what is there.
    where: `count > 0 AND last > ${trimmed <= marked ? trimmed : 0}`,
  });
  const { entries } = db.prepare('SELECT coalesce(sum(count), 0) AS entries FROM fresh.blocks').get() as {
    entries: number;
  };
  db.exec('DETACH fresh');
  if (entries < (marked - trimmed) * ENTRIES_SHARE_MIN) throw damagedError(db, 'the table blocks');
}

function saveScrapers(db: DatabaseSync): void {
  try {
    SALVAGE.scrapers(db, 'main.scrapers', 'fresh.scrapers', 0);
  } catch (cause) {
    throw isCorrupt(cause)
      ? damagedError(db, 'the table scrapers (how far each has read)', { cause })
      : cause;
  }
}

/** Gives the damaged file a second name, which stays. Beside it, since it may be larger than what `damaged` may hold. */
function keep(file: string): string {
  let number = 1;
  while (existsSync(`${file}.damaged-${number}`)) number += 1;
  const kept = `${file}.damaged-${number}`;
  try {
    linkSync(file, kept);
  } catch {
    // The file system knows no such thing.
    copyFileSync(file, kept);
  }
  return kept;
}
