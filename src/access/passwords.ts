import { createHmac } from 'node:crypto';
import type { ComparePassword } from './bcrypt.ts';
import { Comparisons } from './comparisons.ts';

/** How many right passwords, and apart from them how many wrong ones, are remembered: wrong ones never push out right ones. */
const REMEMBERED_MAX = 200;

/**
 * Checks passwords against bcrypt hashes, and remembers what came of it, since a Prometheus sends its password with each scrape. What is
 * remembered is a hash under a key that lives as long as the process: no password stays in memory.
 */
export class Passwords {
  readonly #comparisons: Comparisons;
  readonly #key: Uint8Array;
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  readonly #underWay = new Map<string, Promise<boolean>>();

  /** `key` is 32 random bytes. */
  constructor(compare: ComparePassword, key: Uint8Array) {
    this.#comparisons = new Comparisons(compare);
    this.#key = key;
  }

  /**
   * Whether the password is the user's: told at once where it is remembered. `beforeWork` is called where it takes a comparison, and throws where
   * there were too many; `client` tells whose turn that takes. Rejects with a PasswordsWaitingError where too many wait.
   * A user who does not exist costs what one does who has the first hash of the table, so that names can't be found out by time.
   */
  check(
    users: ReadonlyMap<string, string>,
    user: string,
    password: string,
    client: () => string,
    beforeWork: () => void,
  ): boolean | Promise<boolean> {
    const own = users.get(user);
    const [first = ''] = users.values();
    const hash = own ?? first;
    const entry = this.#entry(user, hash, password);
    if (this.#right.has(entry)) return own !== undefined;
    if (this.#wrong.has(entry)) return false;
    return this.#compare(entry, own !== undefined, () =>
      this.#comparisons.run(client(), password, hash, beforeWork),
    );
  }

  async #compare(entry: string, isUser: boolean, run: () => Promise<boolean>): Promise<boolean> {
    let same = this.#underWay.get(entry);
    if (same === undefined) {
      same = run().finally(() => this.#underWay.delete(entry));
      this.#underWay.set(entry, same);
    }
    const isRight = (await same) && isUser;
    remember(isRight ? this.#right : this.#wrong, entry);
    return isRight;
  }

  /** The hash is part of it, so that a new password is valid at once, and the old one no longer. */
  #entry(user: string, hash: string, password: string): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([user, hash, password]))
      .digest('base64');
  }
}

/** A set keeps the order of insertion: the first is the oldest. */
function remember(entries: Set<string>, entry: string): void {
  entries.delete(entry);
  entries.add(entry);
  for (const oldest of entries) {
    if (entries.size <= REMEMBERED_MAX) break;
    entries.delete(oldest);
  }
}
