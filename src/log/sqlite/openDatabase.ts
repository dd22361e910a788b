import type { DatabaseSync } from 'node:sqlite';
import { nodeSqlite } from './nodeSqlite.ts';
import { LogOpenError } from '../log.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION, SCHEMA_VERSION_MIN } from './schema.ts';
import { openError } from './sqliteError.ts';

/** At a restart of the WAL it is cut to this, so that a burst leaves no giant file. */
const WAL_BYTES_KEPT = 8 * 1024 * 1024;

/** Pages kept in memory, in KiB: what is read and written passes through them, and stays. The kernel has them, too. */
const CACHE_KIB = 8 * 1024;

/**
 * Opens the database for its one owner, and makes the schema where the file is new or empty. Throws a LogOpenError; a file that is
 * not ours is left as it is. `idsLost` hears of a table of ids that was damaged, and had to be made anew to be brought up to date.
 *
 * Nothing in this process may open the file by other means: closing any descriptor of it drops SQLite's locks
 * (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
 */
export function openDatabase(file: string, idsLost: (lost: number) => void = () => undefined): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new (nodeSqlite().DatabaseSync)(file, { timeout: 0 });
    // Before the first access: the lock is then held until the close, and the WAL's index is in memory instead of a -shm file.
    // https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const isNew = checkIdentity(db, file);
    enterWal(db, file);
    // Syncs at checkpoints, not at commits: those are synced by the group commit.
    // https://www.sqlite.org/pragma.html#pragma_synchronous
    db.exec('PRAGMA synchronous = NORMAL');
    db.exec('PRAGMA wal_autocheckpoint = 1000');
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`);
    db.exec('BEGIN IMMEDIATE');
    if (isNew) db.exec(SCHEMA);
    db.exec('COMMIT');
    const version = pragma(db, 'user_version');
    if (version < SCHEMA_VERSION) migrate(db, version, idsLost);
    return db;
  } catch (error) {
    if (db?.isOpen === true) db.close();
    throw openError(file, error);
  }
}

/** Whether the file is empty. Throws where it is somebody else's, or has a schema that can't be brought up to date. */
function checkIdentity(db: DatabaseSync, file: string): boolean {
  const id = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  if (id === 0 && version === 0 && countTables(db) === 0) return true;
  if (id !== APPLICATION_ID) {
    throw new LogOpenError(
      `can't open the log ${file}: it belongs to another application; choose another store.path`,
    );
  }
  if (version < SCHEMA_VERSION_MIN || version > SCHEMA_VERSION) {
    throw new LogOpenError(
      `can't open the log ${file}: another version wrote it (schema ${version}, but this version supports only ${SCHEMA_VERSION_MIN} to ${SCHEMA_VERSION}); ` +
        'use that version, or choose another store.path',
    );
  }
  return false;
}

function enterWal(db: DatabaseSync, file: string): void {
  const { journal_mode: mode } = db.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string };
  if (mode !== 'wal') {
    throw new LogOpenError(
      `can't open the log ${file}: the file system doesn't support a write-ahead log; choose a store.path on a local disk`,
    );
  }
}

function countTables(db: DatabaseSync): number {
  return (db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }).tables;
}

/** The value of a pragma that is a number. */
export function pragma(db: DatabaseSync, name: string): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
}
