import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { LogOpenError } from '../log.ts';

/** An error of node:sqlite. `errcode` is SQLite's extended code; its low byte tells the kind: https://www.sqlite.org/rescode.html */
interface SqliteError extends Error {
  readonly errcode: number;
}

const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** A value is of another type than its column. */
const CONSTRAINT_DATATYPE = 3091;

/** What can be done about a file that can't be opened, which depends on what it is opened for. */
export interface OpenAdvice {
  readonly busy: string;
  readonly notADatabase: string;
  readonly damaged: string;
}

const RESTORE =
  'check it with `oneshot log check`, and restore the file from a backup, or move it and its -wal away to start with an empty log';

const FOR_SERVER: OpenAdvice = {
  busy: 'stop that process, or choose another store.path',
  notADatabase: 'move it away to start with an empty log, or choose another store.path',
  damaged: RESTORE,
};

const PROBE_BYTES = 64 * 1024;
const MESSAGE_MAX = 200;

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/**
 * Whether something failed since a part of the file is not what was written: it makes no sense, or has numbers that this program never writes, or
 * a copy met a value of a type that no table can hold.
 */
export function isCorrupt(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === 'ERR_OUT_OF_RANGE') return true;
  if (!isSqliteError(error)) return false;
  return (error.errcode & 0xff) === CORRUPT || error.errcode === CONSTRAINT_DATATYPE;
}

/** Whether something failed since the file is damaged, or is no database any more. No input or output failed: what is on the disk is known. */
export function isDamaged(error: unknown): boolean {
  return isCorrupt(error) || (isSqliteError(error) && (error.errcode & 0xff) === NOTADB);
}

/**
 * Whether a copy found the database in the midst of a write at its first step. Node takes that for an end without success, and tells SQLite's word for
 * it, which is that there is no error: `BackupJob::AfterThreadPoolWork` in node_sqlite.cc.
 */
export function isBusyCopy(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === 0;
}

/**
 * Whether a write failed for want of room. SQLite says so itself where the system's word was ENOSPC; a quota comes as a mere
 * input/output error, and its cause is not to be had through node:sqlite, so a small file is tried instead.
 */
export function isNoRoom(error: unknown, folder: string): boolean {
  if (!isSqliteError(error)) return false;
  const kind = error.errcode & 0xff;
  return kind === FULL || (kind === IOERR && folderHasNoRoom(folder));
}

function folderHasNoRoom(folder: string): boolean {
  const probe = join(folder, 'room.probe');
  try {
    writeFileSync(probe, Buffer.alloc(PROBE_BYTES));
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOSPC' || code === 'EDQUOT';
  } finally {
    rmSync(probe, { force: true });
  }
}

/** SQLite's words, which may quote what stands in a damaged file: as one line that a terminal can show. */
export function messageOf(error: Error): string {
  return error.message.replaceAll(/[^ -~]/g, '?').slice(0, MESSAGE_MAX);
}

/** What keeps the log from being opened: which file, why, and what to do. */
export function openError(file: string, cause: unknown, advice: OpenAdvice = FOR_SERVER): LogOpenError {
  if (cause instanceof LogOpenError) return cause;
  return new LogOpenError(`can't open the log ${file}: ${reason(cause, advice)}`, { cause });
}

/** What keeps a log from being used of which a part can't be what was written. `why`: by what that shows. */
export function damagedError(
  db: DatabaseSync,
  what: string,
  { why, ...options }: ErrorOptions & { readonly why?: string } = {},
): LogOpenError {
  const shownBy = why === undefined ? '' : ` (${why})`;
  return new LogOpenError(
    `can't open the log ${db.location()}: ${what} is damaged${shownBy}; ${RESTORE}`,
    options,
  );
}

function reason(cause: unknown, advice: OpenAdvice): string {
  if (!isSqliteError(cause)) {
    return `${cause instanceof Error ? cause.message : String(cause)}; check the path and its permissions`;
  }
  switch (cause.errcode & 0xff) {
    case BUSY:
      return `another process has it open; ${advice.busy}`;
    case NOTADB:
      return `it is not a database; ${advice.notADatabase}`;
    case CORRUPT:
      return `it is damaged (${messageOf(cause)}); ${advice.damaged}`;
    case FULL:
      return 'the disk is full; make room';
    case READONLY:
    case CANTOPEN:
      return `${messageOf(cause)}; check the path and its permissions`;
    default:
      return `${messageOf(cause)} (SQLite code ${cause.errcode}); check the disk`;
  }
}
