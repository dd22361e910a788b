import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Transactions } from './transactions.ts';

/** The notes in the file: one text for each key. */
export class NoteTable {
  readonly #transactions: Transactions;
  readonly #save: StatementSync;
  readonly #load: StatementSync;

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#transactions = transactions;
    this.#save = db.prepare(
      'INSERT INTO notes (key, text) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET text = excluded.text',
    );
    this.#load = db.prepare('SELECT text FROM notes WHERE key = ?');
  }

  save(key: string, text: string): void {
    this.#transactions.run(() => this.#save.run(key, text));
  }

  load(key: string): string | undefined {
    return this.#load.get(key)?.['text'] as string | undefined;
  }
}
