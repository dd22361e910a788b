import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { NoteLostError } from '../notes.ts';
import { NOTES_LOST } from './salvage.ts';
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

  /** Throws a NoteLostError where there may have been one that can't be read any more. */
  load(key: string): string | undefined {
    const find = (each: string) => this.#transactions.mended(() => this.#load.get(each));
    const note = find(key);
    if (note === undefined && find(NOTES_LOST) !== undefined)
      throw new NoteLostError(`the note ${key} was damaged`);
    return note?.['text'] as string | undefined;
  }
}
