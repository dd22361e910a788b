import { randomBytes } from 'node:crypto';
import { LogOpenError, OwnershipLostError } from '../log.ts';
import type { Connection } from './connection.ts';
import { pause } from './pause.ts';

/** For how long an owner is known to be there after it has written, in ms of the database's clock. */
export const LEASE_MS = 5_000;
/** How often a start looks whether an owner that is gone may be followed, in ms. */
const LOOK_EVERY_MS = 250;
/** A statement that waits for the lock of another for so long is given up: its server process would stay behind otherwise. */
const LOCK_MS_MAX = 5_000;

/** What the row says that is this process's. */
export interface Owned {
  readonly epoch: number;
  /** The number of the last group that this process has committed. */
  readonly written: number;
  /** When that was asked for, in ms of monotonic time: the lease runs from then, or later. */
  readonly askedAt: number;
}

/** Who owns the log: one row, with an epoch that each who takes it raises. See docs/decisions/0059-postgresql.md. */
export class Ownership {
  readonly #table: string;
  readonly #leaseMs: number;
  /** Of this start, and of no other. */
  readonly #holder = randomBytes(16).toString('hex');

  constructor(schema: string, leaseMs: number) {
    this.#leaseMs = leaseMs;
    this.#table = `${schema}.log`;
  }

  /**
   * Takes the log, once nobody else is known to have it. Throws a LogOpenError where somebody is alive.
   */
  async take(connection: Connection): Promise<Owned> {
    let seen: string | undefined;
    for (;;) {
      const owned = await this.#raise(connection, this.#isFree, true);
      if (owned !== undefined) return owned;
      const [[expires] = []] = await connection.script(`SELECT expires::text FROM ${this.#table}`);
      if (seen !== undefined && expires !== seen)
        throw new LogOpenError(
          `can't open the log in PostgreSQL: another server uses the schema ${this.#table.replace(/\.log$/, '')}; stop that server, or choose another store.schema`,
        );
      seen = expires as string | undefined;
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Takes the log if nobody else is known to have it now. It looks first: a row that is only read is locked for nobody. */
  async takeIfFree(connection: Connection): Promise<Owned | undefined> {
    const [[isFree] = []] = await connection.script(`SELECT ${this.#isFree} FROM ${this.#table}`);
    return isFree === true ? this.#raise(connection, this.#isFree, true) : undefined;
  }

  /**
   * Raises the epoch of what this process owns: from then on no statement of an earlier epoch can do anything, and `written` is final. Throws an
   * OwnershipLostError where somebody else has it.
   */
  async renew(connection: Connection): Promise<Owned> {
    const owned = await this.#raise(connection, `holder = '${this.#holder}'`, false);
    if (owned !== undefined) return owned;
    throw new OwnershipLostError('another server has taken the log in PostgreSQL over');
  }

  /** Gives it up, so that another may take it at once. */
  async release(connection: Connection, epoch: number): Promise<void> {
    await connection.query({
      text: `UPDATE ${this.#table} SET holder = '', expires = now() WHERE epoch = $1::bigint`,
      values: [epoch],
    });
  }

  /** Whether the row, as this connection sees it, is this process's. */
  async isHeld(connection: Connection): Promise<boolean> {
    const [[holder] = []] = await connection.script(`SELECT holder FROM ${this.#table}`);
    return holder === this.#holder;
  }

  get #isFree(): string {
    return `(holder IN ('', '${this.#holder}') OR expires <= now())`;
  }

  async #raise(connection: Connection, where: string, isNew: boolean): Promise<Owned | undefined> {
    const askedAt = performance.now();
    const [row] = await connection.script(
      `BEGIN; SET LOCAL lock_timeout = ${LOCK_MS_MAX};
      UPDATE ${this.#table} SET epoch = epoch + 1, holder = '${this.#holder}', expires = now() + ${this.#leaseMs} * interval '1 millisecond'${isNew ? ', written = 0' : ''}
        WHERE ${where};
      COMMIT;
      SELECT epoch, written FROM ${this.#table} WHERE holder = '${this.#holder}'`,
    );
    return row === undefined ? undefined : { epoch: Number(row[0]), written: Number(row[1]), askedAt };
  }
}
