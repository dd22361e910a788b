import { statSync } from 'node:fs';
import { LogDamagedError } from '../log.ts';

/**
 * Tells whether a log's files are still at their paths. What is deleted while it is open can be written and synced like any other file, and is gone
 * with the process.
 */
export class InPlace {
  readonly #file: string;
  readonly #files: readonly { readonly path: string; readonly identity: string | undefined }[];

  /** `file`: the database, which is open, with its -wal. */
  constructor(file: string) {
    this.#file = file;
    this.#files = [file, `${file}-wal`].map((path) => ({ path, identity: identityOf(path) }));
  }

  /** Throws a LogDamagedError where one of them was deleted, moved or replaced. Takes some microseconds. */
  check(): void {
    for (const { path, identity } of this.#files)
      if (identityOf(path) !== identity)
        throw new LogDamagedError(
          `${path} was deleted, moved or replaced while the server ran; put ${this.#file} and its -wal back, or start the server again with what is there`,
        );
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
