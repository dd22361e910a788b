/** Marks the file as ours ("OSMS"), so that nobody else's database is taken for a log. */
export const APPLICATION_ID = 0x4f534d53;

/** Raised with every change of the schema. A file with one from before `SCHEMA_VERSION_MIN`, or from after this, is refused. */
export const SCHEMA_VERSION = 7;

/** The oldest schema that can be brought up to date. */
export const SCHEMA_VERSION_MIN = 5;

/** What SQLite calls the index of ids. */
export const IDS_INDEX = 'sqlite_autoindex_ids_1';

/** Makes the table of ids, under its name or another. */
export function idsTable(name: string): string {
  return `CREATE TABLE ${name} (
    place INTEGER PRIMARY KEY,
    arrived INTEGER NOT NULL,
    hash BLOB NOT NULL,
    entry INTEGER,
    count INTEGER,
    UNIQUE (place, arrived, hash, entry, count)
  ) STRICT;`;
}

/**
 * The whole schema, for an empty file. `block.ts` says what is in a block. `meta` holds what must outlive the entries it came from:
 *
 * - `trimmed`: entries up to this offset are gone, though they may stand in the first block yet; offsets go on beyond it even when the
 *   log is empty.
 * - `trimmed_arrived`: the arrival of the last entry of the last block that was removed.
 * - `had_scrapers`: 1 once a scraper was saved.
 *
 * `ids.place` numbers the ids in the order in which they arrived or were refreshed; `ids.hash` is made by `idTable.ts`. The index
 * of ids has all that the table has, so that what one of them loses for damage can be taken from the other. Both are in the order of the places: what
 * is new stands at the end, on few pages. `ids.entry` is the offset of the first entry that an id stands for, and `ids.count` how many these are;
 * both are NULL where that is not known.
 */
export const SCHEMA = `
  CREATE TABLE blocks (
    last INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    text TEXT NOT NULL,
    checksum INTEGER NOT NULL
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
  CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  ${idsTable('ids')}
  INSERT INTO meta VALUES ('trimmed', 0), ('trimmed_arrived', 0), ('had_scrapers', 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
