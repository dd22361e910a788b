import { LogOpenError } from '../log.ts';
import { Connection } from './connection.ts';
import type { Ownership } from './ownership.ts';
import { codeOf, failureOf, messageOf } from './pgError.ts';
import { pause } from './pause.ts';
import type { PostgresPlace } from './place.ts';
import { quoted, SCHEMA_VERSION, tablesOf } from './schema.ts';
import type { Session } from './writer.ts';

const VERSION_MIN = 13;
/** For how long a start waits for a database that can't be reached, in ms. */
const REACH_MS_MAX = 30_000;
const REACH_PAUSE_MS = 250;
/** Several servers that make the tables at once disturb each other. */
const MAKE_TRIES = 10;
const MAKE_PAUSE_MS = 100;

const UNDEFINED_TABLE = '42P01';
const NO_SCHEMA = '3F000';
const NO_RIGHT = '42501';
/** A password, a user, a database: they don't come right by themselves. */
const NOT_LET_IN = ['28', '3D'];

/** How often a server that stands by looks whether it may take the log, in ms. */
const STANDBY_LOOK_MS = 400;

/** What a start does that waits for a log which another server has. */
export interface Standby {
  opened(connection: Connection): Promise<void>;
  /** The database is there, and somebody else has the log. */
  waits(): void;
  away(why: unknown): void;
  /** Whether nobody wants the log any more. */
  isOver(): boolean;
}

/**
 * Opens the log's database: makes its tables where they are missing, and takes the log. Throws a LogOpenError. With `standby` it waits until it may
 * take the log, however long that is.
 */
export async function openLog(
  place: PostgresPlace,
  ownership: Ownership,
  standby?: Standby,
): Promise<Session> {
  let connection: Connection | undefined;
  try {
    connection = await reach(place);
    await checkVersion(connection);
    await makeTables(connection, place);
    await standby?.opened(connection);
    if (standby !== undefined) return await standBy(connection, place, ownership, standby);
    return { connection, ...(await ownership.take(connection)) };
  } catch (error) {
    connection?.close();
    if (error instanceof LogOpenError) throw error;
    throw new LogOpenError(`can't open the log in PostgreSQL (${shownPlace(place)}): ${reason(error)}`, {
      cause: error,
    });
  }
}

async function standBy(
  first: Connection,
  place: PostgresPlace,
  ownership: Ownership,
  standby: Standby,
): Promise<Session> {
  let connection: Connection | undefined = first;
  for (;;) {
    try {
      connection ??= await Connection.open(place);
      const owned = await ownership.takeIfFree(connection);
      if (owned !== undefined) return { connection, ...owned };
      standby.waits();
    } catch (error) {
      connection?.close();
      connection = undefined;
      standby.away(error);
    }
    await pause(STANDBY_LOOK_MS);
    if (!standby.isOver()) continue;
    connection?.close();
    throw new LogOpenError('the server stopped while it stood by');
  }
}

/** Where a log is, without a secret. */
export function shownPlace({ hosts, database, schema }: PostgresPlace): string {
  const [{ host, port } = { host: '', port: 0 }, ...others] = hosts;
  return `${host}:${port}${others.length > 0 ? ',…' : ''}/${database}, schema ${schema}`;
}

async function reach(place: PostgresPlace): Promise<Connection> {
  const deadline = performance.now() + REACH_MS_MAX;
  for (;;) {
    try {
      return await Connection.open(place);
    } catch (error) {
      if (!mayPass(error) || performance.now() > deadline) throw error;
      await pause(REACH_PAUSE_MS);
    }
  }
}

/** Whether what kept a connection from being made may be over soon. */
function mayPass(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined)
    return !NOT_LET_IN.some((kind) => code.startsWith(kind)) && failureOf(error) !== 'refused';
  const { code: system } = (
    error instanceof AggregateError ? error.errors[0] : error
  ) as NodeJS.ErrnoException;
  return (
    [
      'ECONNREFUSED',
      'ECONNRESET',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EAI_AGAIN',
      'ENOENT',
      undefined,
    ].includes(system) &&
    !/SSL|certificate|password|SASL|SCRAM/i.test(messageOf(error)) &&
    !isFileError(error)
  );
}

/** A certificate that can't be read is no socket that isn't there yet. */
function isFileError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'open';
}

function reason(error: unknown): string {
  const code = codeOf(error) ?? '';
  if (NOT_LET_IN.some((kind) => code.startsWith(kind)))
    return `${messageOf(error)}; check store.url, or the PG* variables`;
  if (isFileError(error)) return `${messageOf(error)}; check the path and its permissions`;
  return `${messageOf(error)}; check store.url, and that the database is running`;
}

async function checkVersion(connection: Connection): Promise<void> {
  const [[version] = []] = await connection.script('SHOW server_version_num');
  const major = Math.floor(Number(version) / 10_000);
  if (major < VERSION_MIN)
    throw new LogOpenError(
      `can't open the log in PostgreSQL: the database is PostgreSQL ${major}; use ${VERSION_MIN} or newer`,
    );
}

async function makeTables(connection: Connection, place: PostgresPlace): Promise<void> {
  const schema = quoted(place.schema);
  for (let triesLeft = MAKE_TRIES; ; triesLeft -= 1) {
    try {
      const version = await versionOf(connection, schema);
      if (version === SCHEMA_VERSION) return;
      if (version !== undefined)
        throw new LogOpenError(
          `can't open the log in PostgreSQL: another version wrote the schema ${place.schema} (${version}, but this version supports only ${SCHEMA_VERSION}); use that version, or choose another store.schema`,
        );
      await makeSchema(connection, place);
      for (const statement of tablesOf(schema)) await connection.script(statement);
    } catch (error) {
      if (codeOf(error) === NO_RIGHT)
        throw new LogOpenError(
          `can't open the log in PostgreSQL (${shownPlace(place)}): ${messageOf(error)}; run as a user who may: CREATE SCHEMA ${schema} AUTHORIZATION ${quoted(place.user)}`,
          { cause: error },
        );
      // Others made the same at the same moment: https://www.postgresql.org/docs/current/sql-createtable.html says nothing of it, but
      // "IF NOT EXISTS" may then fail on the catalog's unique indexes.
      const isRace = ['23505', '42P07', '42P06', '42710', '40001', '40P01', 'XX000'].includes(
        codeOf(error) ?? '',
      );
      if (!isRace || triesLeft === 1) throw error;
      await pause(MAKE_PAUSE_MS);
    }
  }
}

/** Undefined where the tables are not there. */
async function versionOf(connection: Connection, schema: string): Promise<number | undefined> {
  try {
    const [[version] = []] = await connection.script(`SELECT version FROM ${schema}.log`);
    return version === undefined ? undefined : Number(version);
  } catch (error) {
    if ([UNDEFINED_TABLE, NO_SCHEMA].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Who may not make schemas may use one that somebody made for him, so it is looked for first. */
async function makeSchema(connection: Connection, { schema }: PostgresPlace): Promise<void> {
  const rows = await connection.query({
    text: 'SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1',
    values: [schema],
  });
  if (rows.length === 0) await connection.script(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
}
