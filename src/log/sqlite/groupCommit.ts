import { setImmediate } from 'node:timers';
import type { Entry, NewEntry } from '../../core/entry.ts';

/** What became of one call's entries: they are committed, or there was no room for them. */
export type Written = { readonly entries: readonly Entry[] } | { readonly refused: Error };

/** What one call brings. */
export interface Append {
  readonly entries: readonly NewEntry[];
  /** To be remembered with the entries. */
  readonly ids: readonly string[];
}

/** What the group commit is made of. */
export interface CommitSteps {
  /** Commits what the calls bring; one result for each, in their order. Throws where what is on disk is unknown. */
  write(calls: readonly Append[]): readonly Written[];
  /** Makes durable whatever was committed before. */
  sync(): Promise<void>;
  /** Hears of entries that are durable, in the order of their offsets. */
  durable(entries: readonly Entry[]): void;
  /** Hears of the first failure; nothing is written after it. */
  broken(cause: Error): void;
}

interface Call extends Append {
  readonly waiter: Waiter;
}

type Waiter = PromiseWithResolvers<void>;

/**
 * One transaction and one sync for all who wait. A commit in WAL mode is not synced with synchronous=NORMAL
 * (https://www.sqlite.org/pragma.html#pragma_synchronous): it is in the -wal file and survives the process, not the machine. What
 * makes it durable is a sync of that file (https://www.sqlite.org/wal.html), and one sync serves every commit before it. It runs in the
 * thread pool, so the event loop goes on meanwhile; what comes in during a sync makes up the next group.
 *
 * After a failed sync the kernel may have dropped the pages and would report the next sync as fine
 * (https://wiki.postgresql.org/wiki/Fsync_Errors). So there is no second try: nobody who waits is told anything any more.
 */
export class GroupCommit {
  readonly #steps: CommitSteps;
  #calls: Call[] = [];
  /** Those whose commit is made and who wait for a sync that starts from now on. */
  #waiters: Waiter[] = [];
  #isScheduled = false;
  #isBroken = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(steps: CommitSteps) {
    this.#steps = steps;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Resolves once the entries are durable and told; rejects where there is no room for them. */
  append({ entries, ids }: Append): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    if (!this.#isBroken) {
      this.#calls.push({ entries, ids, waiter });
      this.#schedule();
    }
    return waiter.promise;
  }

  /** Resolves once whatever is committed now is durable. */
  synced(): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    if (!this.#isBroken) {
      this.#waiters.push(waiter);
      this.#schedule();
    }
    return waiter.promise;
  }

  /** Resolves once nothing is queued or under way, and at once where it is broken. */
  async idle(): Promise<void> {
    if (this.#isBroken || !this.#isScheduled) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Stops for good: whoever waits will wait for ever. */
  break(cause: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#idle?.resolve();
    this.#steps.broken(cause);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => void this.#round());
  }

  async #round(): Promise<void> {
    const calls = this.#calls;
    const waiters = this.#waiters;
    this.#calls = [];
    this.#waiters = [];
    let written: readonly Written[];
    try {
      written = calls.length === 0 ? [] : this.#steps.write(calls);
      await this.#steps.sync();
    } catch (error) {
      this.break(error as Error);
      return;
    }
    // Something else may have failed during the sync.
    if (this.#isBroken) return;
    const entries = written.flatMap((one) => ('entries' in one ? one.entries : []));
    if (entries.length > 0) this.#steps.durable(entries);
    for (const waiter of waiters) waiter.resolve();
    for (const [index, one] of written.entries()) {
      const { waiter } = calls[index] as Call;
      if ('refused' in one) waiter.reject(one.refused);
      else waiter.resolve();
    }
    this.#goOn();
  }

  /** The next group waits for one turn of the event loop, so that those who were just answered can join it. */
  #goOn(): void {
    this.#isScheduled = false;
    if (this.#calls.length > 0 || this.#waiters.length > 0) this.#schedule();
    else this.#idle?.resolve();
  }
}
