import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/log/memory/memoryLog.ts';
import type { SqliteLogOptions } from '../../../src/log/sqlite/sqliteLog.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqliteLog.ts';
import { aFolder } from './folders.ts';

/** A log under test: how to make it, and what may be asked of it. */
export interface LogKind {
  readonly name: string;
  /** Makes logs that are not started, all of the same place. */
  readonly place: () => () => Log;
  /** Whether a second log of a place finds what the first left. */
  readonly isPersistent: boolean;
  /** Whether what is saved is kept from the death of this process when the call returns: see `ScraperRecords.saveScraper`. */
  readonly savesAtOnce: boolean;
  /** What this machine would need for it, where that is missing. */
  readonly needs?: string;
}

export const LOG_KINDS: readonly LogKind[] = [
  { name: 'MemoryLog', place: () => () => new MemoryLog(), isPersistent: false, savesAtOnce: true },
  {
    name: 'SqliteLog, durable through a loss of power',
    place: sqliteIn('power'),
    isPersistent: true,
    savesAtOnce: true,
  },
  {
    name: 'SqliteLog, durable through a kill',
    place: sqliteIn('process'),
    isPersistent: true,
    savesAtOnce: true,
  },
];

function sqliteIn(durability: SqliteLogOptions['durability']): LogKind['place'] {
  return () => {
    const path = aFolder();
    return () => new SqliteLog({ path, durability });
  };
}

/** Starts a log, and disposes of it with the test. */
export async function started<L extends Log>(log: L): Promise<L> {
  await log.start();
  onTestFinished(() => log[Symbol.asyncDispose]());
  return log;
}

/** A SqliteLog that is started; in a folder of its own where none is given. */
export async function aSqliteLog(given: Partial<SqliteLogOptions> = {}): Promise<SqliteLog> {
  return started(new SqliteLog({ path: aFolder(), durability: 'power', ...given }));
}
