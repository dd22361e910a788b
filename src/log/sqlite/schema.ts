/** Marks the file as ours ("OSMS"), so that nobody else's database is taken for a log. */
export const APPLICATION_ID = 0x4f534d53;

/**
 * `entries.value` is ANY, since a REAL column loses the sign of -0 (it stores whole numbers as integers); ANY keeps every bit.
 * NULL stands for NaN, which SQLite does not have. `meta` holds what must outlive the entries it came from:
 *
 * - `trimmed`: entries up to this offset are gone; offsets go on beyond it even when the log is empty.
 * - `trimmed_arrived`: the arrival of the latest of them.
 * - `had_scrapers`: 1 once a scraper was saved.
 *
 * `ids.place` numbers the ids without gaps, in the order in which they arrived; `ids.hash` is made by `idTable.ts`.
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

/** What leads from each version to the next; the file is then marked with that. A step that was released is never changed. */
export const MIGRATIONS: Readonly<Record<number, string>> = {
  1: `${VERSION_2} PRAGMA user_version = 2;`,
  2: `${VERSION_3} PRAGMA user_version = 3;`,
};

/** Raised with every change of the schema; a file with a higher one comes from a newer version and is refused. */
export const SCHEMA_VERSION = 3;

/** The whole schema, for an empty file: an older file becomes the same by the migrations. */
export const SCHEMA = `
  ${VERSION_1}
  ${VERSION_2}
  ${VERSION_3}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
