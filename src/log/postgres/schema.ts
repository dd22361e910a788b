/** Raised with every change of the schema. */
export const SCHEMA_VERSION = 1;

/**
 * The tables, each made if it is missing; `log` is the last, so that its row says that all are there. `../block.ts` says what is in a block.
 *
 * `log` has one row. `epoch`, `holder` and `expires` are the ownership: see docs/decisions/0059-postgresql.md. `written` numbers the groups that
 * the holder has committed. `trimmed`: entries up to this offset are gone, though they may stand in the first block yet.
 * `trimmed_arrived`: the arrival of the last entry of the last block that was removed.
 *
 * `ids.place` numbers the ids in the order in which they arrived or were refreshed. `entry` and `count` say which entries an id stands for.
 */
export function tablesOf(schema: string): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${schema}.blocks (
      last bigint PRIMARY KEY,
      count integer NOT NULL,
      arrived bigint NOT NULL,
      text bytea NOT NULL,
      checksum bigint NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS blocks_arrived ON ${schema}.blocks (arrived, last)`,
    `CREATE TABLE IF NOT EXISTS ${schema}.ids (
      hash uuid PRIMARY KEY,
      place bigint NOT NULL,
      arrived bigint NOT NULL,
      entry bigint NOT NULL,
      count bigint NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS ids_place ON ${schema}.ids (place)`,
    `CREATE TABLE IF NOT EXISTS ${schema}.scrapers (
      id bytea PRIMARY KEY,
      version bigint NOT NULL,
      record bytea NOT NULL
    )`,
    `CREATE TABLE IF NOT EXISTS ${schema}.notes (
      key bytea PRIMARY KEY,
      text bytea NOT NULL
    )`,
    `CREATE TABLE IF NOT EXISTS ${schema}.log (
      one integer PRIMARY KEY CHECK (one = 1),
      version integer NOT NULL,
      epoch bigint NOT NULL,
      holder text NOT NULL,
      expires timestamptz NOT NULL,
      written bigint NOT NULL,
      trimmed bigint NOT NULL,
      trimmed_arrived bigint NOT NULL,
      had_scrapers boolean NOT NULL
    )`,
    `INSERT INTO ${schema}.log VALUES (1, ${SCHEMA_VERSION}, 0, '', now(), 0, 0, 0, false) ON CONFLICT (one) DO NOTHING`,
  ];
}

/** A name as SQL quotes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
