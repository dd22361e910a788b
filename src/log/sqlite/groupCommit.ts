import { setImmediate } from 'node:timers';
import type { Entry, NewEntry } from '../../core/entry.ts';
import type { Offset } from '../../core/offset.ts';
import type { NewId } from '../ids.ts';

/** What became of a group of calls. */
export interface Written {
  /** What is committed, of all calls in their order. */
  readonly entries: readonly Entry[];
  /** Why there was no room for calls, by their place in the group. */
  readonly refused: ReadonlyMap<number, Error>;
}

/** What one call brings. */
export interface Append {
  /** One or more. */
  readonly entries: readonly NewEntry[];
  /** To be remembered with the entries. */
  readonly ids: readonly NewId[];
}

/** What the group commit is made of. */
export interface CommitSteps {
  /** Commits what the calls bring. Throws where what is on disk is unknown. */
  write(calls: readonly Append[]): Written;
  /** Makes durable whatever was committed before, for so many who wait. */
  sync(waiting: number): Promise<void>;
  /** Hears of entries that are durable, in the order of their offsets. */
  durable(entries: readonly Entry[]): void;
  /** Hears of the first failure; nothing is written after it. */
  broken(cause: Error): void;
}

/** One who is told what became of a call. */
interface Waiter<Result = void> {
  readonly resolve: (result: Result) => void;
  readonly reject: (refused: Error) => void;
}

type Call = Append & Waiter<Offset>;

/** Turns of the event loop that a group waits at most, for those who may come. */
const GATHER_TURNS_MAX = 4;

/**
 * One transaction and one sync for all who wait. A commit in WAL mode is not synced with synchronous=NORMAL
 * (https://www.sqlite.org/pragma.html#pragma_synchronous): it is in the -wal file and survives the process, not the machine. What
 * makes it durable is a sync of that file (https://www.sqlite.org/wal.html), and one sync serves every commit before it. What comes in
 * during a sync makes up the next group.
 *
 * After a failed sync the kernel may have dropped the pages and would report the next sync as fine
 * (https://wiki.postgresql.org/wiki/Fsync_Errors). So there is no second try: nobody who waits is told anything any more.
 */
export class GroupCommit {
  readonly #steps: CommitSteps;
  #calls: Call[] = [];
  /** Those whose commit is made and who wait for a sync that starts from now on. */
  #waiters: Waiter[] = [];
  /** How many the latest group was for. */
  #lastGroup = 0;
  #isScheduled = false;
  #isBroken = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(steps: CommitSteps) {
    this.#steps = steps;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Resolves with the offset of the first of the entries once they are durable and told; rejects where there is no room for them. */
  append(entries: readonly NewEntry[], ids: readonly NewId[]): Promise<Offset> {
    return new Promise((resolve, reject) => {
      if (this.#isBroken) return;
      this.#calls.push({ entries, ids, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves once whatever is committed now is durable. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isBroken) return;
      this.#waiters.push({ resolve, reject });
      this.#schedule();
    });
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
    setImmediate(() => this.#gather(0, GATHER_TURNS_MAX));
  }

  /**
   * Those who were answered together tend to come again one by one. So while each turn of the event loop brings some who are new, a group
   * that is smaller than the last waits for another: one sync for all costs less than two for halves of them.
   */
  #gather(before: number, turnsLeft: number): void {
    const waiting = this.#waiting;
    if (turnsLeft > 0 && waiting > before && waiting < this.#lastGroup) {
      setImmediate(() => this.#gather(waiting, turnsLeft - 1));
    } else {
      void this.#round();
    }
  }

  async #round(): Promise<void> {
    if (this.#isBroken) return;
    const waiting = this.#waiting;
    this.#lastGroup = waiting;
    const calls = this.#calls;
    const waiters = this.#waiters;
    this.#calls = [];
    this.#waiters = [];
    let written: Written | undefined;
    try {
      if (calls.length > 0) written = this.#steps.write(calls);
      await this.#steps.sync(waiting);
    } catch (error) {
      this.break(error as Error);
      return;
    }
    // Something else may have failed during the sync.
    if (this.#isBroken) return;
    if (written !== undefined && written.entries.length > 0) this.#steps.durable(written.entries);
    for (const waiter of waiters) waiter.resolve();
    if (written !== undefined) tell(calls, written);
    this.#goOn();
  }

  /** The next group waits for one turn of the event loop, so that those who were just answered can join it. */
  #goOn(): void {
    this.#isScheduled = false;
    if (this.#waiting > 0) this.#schedule();
    else this.#idle?.resolve();
  }

  get #waiting(): number {
    return this.#calls.length + this.#waiters.length;
  }
}

/** Tells each call where its entries stand: behind those of the calls before it that were not refused. */
function tell(calls: readonly Call[], { entries, refused }: Written): void {
  let before = 0;
  for (const [index, call] of calls.entries()) {
    const error = refused.size === 0 ? undefined : refused.get(index);
    if (error !== undefined) {
      call.reject(error);
      continue;
    }
    call.resolve((entries[before] as Entry).offset);
    before += call.entries.length;
  }
}
