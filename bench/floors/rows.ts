import { DatabaseSync } from 'node:sqlite';

/** One row as the server's log has it. */
export type Row = readonly [series: string, value: number, time: number];

/**
 * Floor (c): `node:sqlite` inserting the rows of the server's log, each batch in one transaction that is synced before it returns
 * (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
export class Rows {
  readonly #db: DatabaseSync;
  readonly #insert;
  #offset = 0;

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
    this.#db.exec(
      'CREATE TABLE entries (offset INTEGER PRIMARY KEY, kind INTEGER, time INTEGER, arrived INTEGER, value REAL, series TEXT) STRICT',
    );
    this.#insert = this.#db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)');
  }

  append(rows: readonly Row[]): void {
    this.#db.exec('BEGIN');
    for (const [series, value, time] of rows) {
      this.#offset += 1;
      this.#insert.run(this.#offset, 0, time, time, value, series);
    }
    this.#db.exec('COMMIT');
  }
}
