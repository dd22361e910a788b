import type { DatabaseSync } from 'node:sqlite';

/** What the names of tables begin with that were damaged and made anew. */
const ASIDE = 'damaged_';

/**
 * Renames a table, within the caller's transaction. It can't be dropped: for that, SQLite would read all of its
 * pages. So they stay in the file, for whoever wants to look, until that is rebuilt.
 */
export function setAside(db: DatabaseSync, table: string): void {
  const names = new Set(tablesAside(db));
  let number = 1;
  while (names.has(`${ASIDE}${table}_${number}`)) number += 1;
  db.exec(`ALTER TABLE ${table} RENAME TO ${ASIDE}${table}_${number}`);
}

/** Tables that were damaged and made anew. */
export function tablesAside(db: DatabaseSync): string[] {
  const rows = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '${ASIDE}*'`)
    .all();
  return rows.map(({ name }) => String(name));
}
