import type { DatabaseSync } from 'node:sqlite';
import type { Part, RepairListener } from '../log.ts';
import { isWell } from './integrity.ts';
import { SALVAGE } from './salvage.ts';
import { setAside } from './setAside.ts';
import { isCorrupt } from './sqliteError.ts';
import type { Transactions } from './transactions.ts';

type Table = keyof typeof SALVAGE;

/** What users call what is in each table. */
const PARTS: Readonly<Record<Table, Part>> = {
  ids: 'ids',
  notes: 'counters',
  scrapers: 'scrapers',
  meta: 'meta',
};
/** They are read whole at each start; ids may be a million. */
const SMALL: readonly Table[] = ['scrapers', 'meta', 'notes'];
const ALL: readonly Table[] = [...SMALL, 'ids'];

/** Makes tables anew that are damaged, of what can be read of them. Blocks are none of them: what is damaged there is passed over. */
export class Mender {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #marked: number;
  readonly #listener: RepairListener;

  /** `marked`: the offset up to which the log is known to have been durable. */
  constructor(db: DatabaseSync, transactions: Transactions, marked: number, listener: RepairListener) {
    this.#db = db;
    this.#transactions = transactions;
    this.#marked = marked;
    this.#listener = listener;
  }

  /** Looks at the small tables. Throws as SQLite does where one is damaged, and can't be made anew. */
  checkSmall(): void {
    for (const table of SMALL) if (!isWell(this.#db, table)) this.#remake(table);
  }

  /** Tells whether any table was damaged and is whole now: then what failed can be done again. */
  mend(): boolean {
    const damaged = ALL.filter((table) => !isWell(this.#db, table));
    try {
      for (const table of damaged) this.#remake(table);
    } catch (error) {
      if (isCorrupt(error)) return false;
      throw error;
    }
    return damaged.length > 0;
  }

  /** Throws as SQLite does where it can't be done; then the table is as it was. */
  #remake(table: Table): void {
    const db = this.#db;
    // They are all saved or none, and where they can't be the file stays as it was.
    if (table === 'scrapers') db.prepare('SELECT sum(length(record)) FROM scrapers NOT INDEXED').get();
    const fresh = `fresh_${table}`;
    // After damage in a transaction that was begun SQLite writes nothing more in it. So each statement of the copy is one of its own.
    const lost = this.#transactions.apart(() => this.#copyInto(fresh, table));
    this.#transactions.runAsIs(() => {
      setAside(db, table);
      db.exec(`ALTER TABLE ${fresh} RENAME TO ${table}`);
    });
    this.#listener({ part: PARTS[table], lost });
  }

  #copyInto(fresh: string, table: Table): number {
    const db = this.#db;
    const { sql } = db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(table) as { sql: string };
    // Of a process that was killed.
    db.exec(`DROP TABLE IF EXISTS ${fresh}`);
    db.exec(sql.replace(table, fresh));
    return SALVAGE[table](db, table, fresh, this.#marked);
  }
}
