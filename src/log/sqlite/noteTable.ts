import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { damagedError, isCorrupt } from './sqliteError.ts';
import type { Transactions } from './transactions.ts';

/** The notes in the file: one text for each key. */
export class NoteTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #save: StatementSync;
  readonly #load: StatementSync;

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#db = db;
    this.#transactions = transactions;
    this.#save = db.prepare(
      'INSERT INTO notes (key, text) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET text = excluded.text',
    );
    this.#load = db.prepare('SELECT text FROM notes WHERE key = ?');
  }

  save(key: string, text: string): void {
    this.#transactions.run(() => this.#save.run(key, text));
  }

  /** Throws a LogOpenError where it is damaged. */
  load(key: string): string | undefined {
    try {
      return this.#load.get(key)?.['text'] as string | undefined;
    } catch (cause) {
      throw isCorrupt(cause) ? damagedError(this.#db, `the note ${key}`, { cause }) : cause;
    }
  }
}
