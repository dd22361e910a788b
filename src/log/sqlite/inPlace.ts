import { statSync } from 'node:fs';
import { LogDamagedError } from '../log.ts';

/**
 * Tells whether a log's files are still at their paths. What is deleted while it is open can be written and synced like any other file, and is gone
 * with the process.
 */
export class InPlace {
  readonly #file: string;
  readonly #wal: string;
  readonly #identities: ReadonlyMap<string, string | undefined>;

  /** `file`: the database, which is open, with its -wal. */
  constructor(file: string) {
    this.#file = file;
    this.#wal = `${file}-wal`;
    this.#identities = new Map([file, this.#wal].map((path) => [path, identityOf(path)]));
  }

  /** Throws a LogDamagedError where one of them was deleted, moved or replaced. */
  check(): void {
    this.checkWal();
    this.#check(this.#file);
  }

  /** The same of the -wal alone, which has what was written last: so little that it can be done at each sync, in 3 µs. */
  checkWal(): void {
    this.#check(this.#wal);
  }

  #check(path: string): void {
    if (identityOf(path) === this.#identities.get(path)) return;
    throw new LogDamagedError(
      `${path} was deleted, moved or replaced while the server ran; put ${this.#file} and its -wal back, or start the server again with what is there`,
    );
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
