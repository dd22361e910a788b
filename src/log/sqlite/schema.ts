import type { DatabaseSync } from 'node:sqlite';
import { moveToBlocks } from './moveToBlocks.ts';

/** Marks the file as ours ("OSMS"), so that nobody else's database is taken for a log. */
export const APPLICATION_ID = 0x4f534d53;

/**
 * `entries.value` is ANY, since a REAL column loses the sign of -0 (it stores whole numbers as integers); ANY keeps every bit.
 * NULL stands for NaN, which SQLite does not have.
 */
const VERSION_1 = `
  CREATE TABLE entries (
    offset INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    time INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    value ANY,
    series TEXT NOT NULL
  ) STRICT;
  CREATE TABLE scrapers (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES ('trimmed', 0), ('trimmed_arrived', 0), ('had_scrapers', 0);
`;

const VERSION_2 = `
  CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
`;

const VERSION_3 = `
  CREATE TABLE ids (
    place INTEGER PRIMARY KEY,
    arrived INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE
  ) STRICT;
`;

/** `blocks` takes the place of `entries`: `block.ts` says what is in one. */
const VERSION_4 = `
  CREATE TABLE blocks (
    last INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
`;

/** Rows from before have no checksum: to make them one, a million rows would have to be written. */
const VERSION_5 = `
  ALTER TABLE blocks ADD COLUMN checksum INTEGER;
`;

/**
 * What leads from each version to the next, within a transaction; the file is then marked with that. A step that was released is never
 * changed.
 */
export const MIGRATIONS: Readonly<Record<number, (db: DatabaseSync) => void>> = {
  1: (db) => db.exec(VERSION_2),
  2: (db) => db.exec(VERSION_3),
  3: (db) => {
    db.exec(VERSION_4);
    moveToBlocks(db);
    db.exec('DROP TABLE entries');
  },
  4: (db) => db.exec(VERSION_5),
};

/** Raised with every change of the schema; a file with a higher one comes from a newer version and is refused. */
export const SCHEMA_VERSION = 5;

/**
 * The whole schema, for an empty file: an older file becomes the same by the migrations. `meta` holds what must outlive the entries it
 * came from:
 *
 * - `trimmed`: entries up to this offset are gone, though they may stand in the first block yet; offsets go on beyond it even when the
 *   log is empty.
 * - `trimmed_arrived`: the arrival of the last entry of the last block that was removed.
 * - `had_scrapers`: 1 once a scraper was saved.
 *
 * `ids.place` numbers the ids in the order in which they arrived or were refreshed; `ids.hash` is made by `idTable.ts`.
 */
export const SCHEMA = `
  ${VERSION_1}
  ${VERSION_2}
  ${VERSION_3}
  ${VERSION_4}
  ${VERSION_5}
  DROP TABLE entries;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
