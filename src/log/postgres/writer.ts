import { setTimeout as sleep } from 'node:timers/promises';
import type { Offset } from '../../core/offset.ts';
import { LeadershipLostError, LogDamagedError, OwnershipLostError } from '../log.ts';
import { IdTakenError } from '../ids.ts';
import type { Change } from './change.ts';
import { countTogether, sizeOf } from './change.ts';
import type { Connection } from './connection.ts';
import type { Done } from './group.ts';
import { Group, readDone } from './group.ts';
import type { Owned } from './ownership.ts';
import { pause } from './pause.ts';
import { away, codeOf, failureOf, noRoom, tooManyWait } from './pgError.ts';
import type { Standing } from './standing.ts';

/** What a change became: where its entries begin, and what its group's statement told, unless that was lost. */
export interface Written {
  readonly first: Offset;
  readonly done: Done | undefined;
}

interface Call {
  readonly change: Change;
  readonly size: number;
  readonly resolve: (written: Written) => void;
  readonly reject: (why: Error) => void;
}

/** A connection through which this process owns the log. */
export interface Session extends Owned {
  readonly connection: Connection;
}

export interface WriterSteps {
  /** For how long the log is owned after a proof, in ms. */
  readonly leaseMs: number;
  /** Whether others share the log. Then what waits is told where another has taken it; otherwise nobody is answered, since the process ends. */
  readonly isShared: boolean;
  /** Connects, and proves what this process owns. Throws an OwnershipLostError where somebody else has it. */
  reopen(): Promise<Session>;
  /** Reads where the log stands. */
  stand(connection: Connection): Promise<Standing>;
  /** Hears of a group that is durable, and where the log stands then. */
  durable(group: Group, standing: Standing): void;
  broken(cause: Error): void;
  away(why: unknown): void;
  back(): void;
}

/** How long a change waits for a database that is away, in ms: longer than most restarts of it. */
const WAIT_MS_MAX = 5_000;
/** How much longer a close waits, in ms. */
const CLOSE_MS = 1_000;
/** What may wait. */
const WAITING_MAX = 20_000;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const NO_ANSWER = new Error(`no answer for ${WAIT_MS_MAX / 1000} s`);
/** Pauses between tries to reach the database again, in ms. */
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;
/** How often a statement is tried again that the database gives up for others. */
const TRIES_MAX = 10;
/** An id is there. */
const UNIQUE = '23505';
/** Nothing but the proof of ownership. */
const PROOF = { change: { kind: 'prove' }, size: 0 } as const;
/** Turns of the event loop that a group waits at most, for those who may come. */
const GATHER_TURNS_MAX = 4;

/** Writes what waits, in groups: one statement at a time for all. See docs/decisions/0059-postgresql.md. */
export class Writer {
  readonly #steps: WriterSteps;
  readonly #schema: string;
  #standing: Standing;
  #session: Session | undefined;
  #calls: Call[] = [];
  #bytes = 0;
  /** The group whose outcome is not known yet, and its calls. */
  #inDoubt: { readonly group: Group; readonly calls: readonly Call[] } | undefined;
  /** Of the last group that is known to be committed. */
  #written: number;
  #isRunning = false;
  #isBroken = false;
  #isClosed = false;
  #refusal: Error | undefined;
  #lastGroup = 0;
  /** When the last proof that was answered was asked for. */
  #provenAt: number;
  #lost: LeadershipLostError | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  /** From when the database was lost until a group is committed again. */
  #isAway = false;
  /** Tries since then. */
  #failures = 0;
  /** Why there is no answer, as far as that is known. */
  #why: unknown = NO_ANSWER;
  #refuseTimer: NodeJS.Timeout | undefined;
  readonly #proofTimer: NodeJS.Timeout;

  constructor(session: Session, standing: Standing, schema: string, steps: WriterSteps) {
    this.#steps = steps;
    this.#schema = schema;
    this.#standing = standing;
    this.#session = session;
    this.#written = session.written;
    this.#provenAt = session.askedAt;
    this.#proofTimer = setInterval(() => this.#prove(), steps.leaseMs / 5).unref();
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether nobody else can have the log now. */
  get isOwned(): boolean {
    return !this.#isBroken && performance.now() < this.#provenAt + this.#steps.leaseMs;
  }

  /** That another has the log now, where that is told. */
  get lost(): LeadershipLostError | undefined {
    return this.#lost;
  }

  /** Why the database can't be used now; undefined while it can, or might. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /**
   * Resolves once the change is durable, and told. Rejects with an UnavailableError where it was not stored, since the database was away for too long
   * or has no room. Never settles once the log is broken.
   */
  write(change: Change): Promise<Written> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) reject(this.#lost);
      if (this.#isBroken) return;
      const size = sizeOf(change);
      if (this.#refusal !== undefined) reject(away(this.#refusal));
      else if (this.#calls.length >= WAITING_MAX || this.#bytes + size > WAITING_BYTES_MAX)
        reject(tooManyWait());
      else {
        this.#calls.push({ change, size, resolve, reject });
        this.#bytes += size;
        this.#start();
      }
    });
  }

  /** Resolves once what waits now is durable, or was rejected. */
  async settled(): Promise<void> {
    if (this.#isBroken || !this.#isRunning) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Waits for what is under way, as far as the database can be reached, and gives the connection back, if there is one. */
  async close(): Promise<Session | undefined> {
    // A group in doubt may never be found out about.
    await Promise.race([this.settled(), sleep(WAIT_MS_MAX + CLOSE_MS, undefined, { ref: false })]);
    this.#isClosed = true;
    clearInterval(this.#proofTimer);
    clearTimeout(this.#refuseTimer);
    return this.#isBroken ? undefined : this.#session;
  }

  /** Stops for good: whoever waits will wait for ever. */
  break(cause: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    clearInterval(this.#proofTimer);
    clearTimeout(this.#refuseTimer);
    if (this.#steps.isShared && cause instanceof OwnershipLostError) this.#tellLost();
    if (this.#steps.isShared) this.#session?.connection.close();
    this.#idle?.resolve();
    this.#steps.broken(cause);
  }

  #tellLost(): void {
    this.#lost = new LeadershipLostError(false);
    for (const { reject } of this.#calls) reject(this.#lost);
    for (const { reject } of this.#inDoubt?.calls ?? []) reject(new LeadershipLostError(true));
    this.#calls = [];
    this.#inDoubt = undefined;
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(() => this.#gather(0, GATHER_TURNS_MAX));
  }

  /** Those who were answered together tend to come again one by one, as `GroupCommit` of SQLite has it. */
  #gather(before: number, turnsLeft: number): void {
    const waiting = this.#calls.length;
    if (turnsLeft > 0 && waiting > before && waiting < this.#lastGroup)
      setImmediate(() => this.#gather(waiting, turnsLeft - 1));
    else this.#run().catch((error: unknown) => this.break(error as Error));
  }

  async #run(): Promise<void> {
    if (this.#session === undefined) await this.#recover();
    if (this.#session !== undefined && !this.#isBroken && this.#calls.length > 0) {
      const count = countTogether(this.#calls.map(({ change }) => change));
      const calls = this.#calls.splice(0, count);
      this.#bytes -= calls.reduce((sum, { size }) => sum + size, 0);
      this.#lastGroup = count;
      const changes = calls.map(({ change }) => change);
      await this.#writeGroup(new Group(changes, this.#standing, this.#schema), calls);
    }
    if (this.#isBroken) return;
    if (this.#calls.length > 0 || this.#session === undefined) {
      if (!this.#isClosed) {
        setImmediate(() => this.#gather(0, GATHER_TURNS_MAX));
        return;
      }
    }
    this.#isRunning = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  async #writeGroup(group: Group, calls: readonly Call[]): Promise<void> {
    const session = this.#session as Session;
    // Nor does what comes meanwhile wait for longer where the database is there, and doesn't answer.
    this.#why = NO_ANSWER;
    this.#refuseTimer ??= setTimeout(() => this.#refuse(), WAIT_MS_MAX);
    for (let triesLeft = TRIES_MAX; ; triesLeft -= 1) {
      let done: Done;
      const askedAt = performance.now();
      try {
        const { leaseMs, isShared } = this.#steps;
        done = readDone(
          await session.connection.query(
            group.statement(session.epoch, this.#written + 1, leaseMs, isShared),
          ),
        );
      } catch (error) {
        if (this.#steps.isShared && codeOf(error) === UNIQUE) {
          this.#reached();
          this.#putBack(calls.filter((call) => !rejectTaken(call)));
          return;
        }
        const failure = failureOf(error);
        if (failure === 'again' && triesLeft > 1) {
          await pause(PAUSE_MS_MIN);
          continue;
        }
        if (failure === 'broken') this.break(error as Error);
        else if (failure === 'noRoom' || failure === 'refused') {
          this.#reached();
          const why = failure === 'noRoom' ? noRoom(error) : away(error);
          for (const call of calls) call.reject(why);
        } else {
          if (failure === 'unknown') this.#inDoubt = { group, calls };
          else this.#putBack(calls);
          this.#lose(error);
        }
        return;
      }
      if (!done.isOwner) {
        // They wait again, for what is told to all.
        this.#putBack(calls);
        this.break(new OwnershipLostError('another server has taken the log in PostgreSQL over'));
      } else if (done.scrapersSaved !== group.scrapers) {
        this.#inDoubt = { group, calls };
        this.break(
          new OwnershipLostError(
            'a scraper is saved in the same version or a later one, so another server has saved it',
          ),
        );
      } else {
        this.#provenAt = askedAt;
        this.#committed(group, calls, done, group.after(done));
      }
      return;
    }
  }

  #committed(group: Group, calls: readonly Call[], done: Done | undefined, standing: Standing): void {
    this.#written += 1;
    this.#reached();
    let first = (this.#standing.end + 1) as Offset;
    this.#standing = standing;
    this.#steps.durable(group, standing);
    for (const { change, resolve } of calls) {
      resolve({ first, done });
      if (change.kind === 'append') first = (first + change.entries.length) as Offset;
    }
  }

  /** The database answers, whatever it says. */
  #reached(): void {
    this.#failures = 0;
    clearTimeout(this.#refuseTimer);
    this.#refuseTimer = undefined;
    this.#refusal = undefined;
    if (this.#isAway) this.#steps.back();
    this.#isAway = false;
  }

  #putBack(calls: readonly Call[]): void {
    this.#calls = [...calls, ...this.#calls];
    this.#bytes += calls.reduce((sum, { size }) => sum + size, 0);
  }

  #lose(why: unknown): void {
    this.#session?.connection.close();
    this.#session = undefined;
    this.#tellAway(why);
    this.#why = why;
    this.#refuseTimer ??= setTimeout(() => this.#refuse(), WAIT_MS_MAX);
  }

  #tellAway(why: unknown): void {
    if (!this.#isAway) this.#steps.away(why);
    this.#isAway = true;
  }

  /** What waits is told that it was not stored, and so is what comes. */
  #refuse(): void {
    const why = this.#why;
    this.#refusal = why as Error;
    this.#tellAway(why);
    const calls = this.#calls;
    this.#calls = [];
    this.#bytes = 0;
    for (const call of calls) call.reject(away(why));
    // Nobody who is known to be without an answer waits, but for those of a group in doubt.
    if (this.#inDoubt === undefined) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  /** Goes on once the database can be reached and is still this process's, and finds out what became of the group in doubt. */
  async #recover(): Promise<void> {
    while (!this.#isClosed && !this.#isBroken) {
      if (this.#failures > 0) await pause(Math.min(PAUSE_MS_MIN * 2 ** this.#failures, PAUSE_MS_MAX));
      this.#failures += 1;
      let session: Session | undefined;
      try {
        session = await this.#steps.reopen();
        const standing = await this.#steps.stand(session.connection);
        this.#resume(session, standing);
        return;
      } catch (error) {
        session?.connection.close();
        if (error instanceof OwnershipLostError || error instanceof LogDamagedError) {
          this.break(error);
          return;
        }
        this.#why = error;
        if (this.#refusal !== undefined) this.#refusal = error as Error;
      }
    }
  }

  #resume(session: Session, standing: Standing): void {
    const inDoubt = this.#inDoubt;
    const isWritten = inDoubt !== undefined && session.written === this.#written + 1;
    const expected = isWritten ? inDoubt.group.after(undefined).end : this.#standing.end;
    if ((!isWritten && session.written !== this.#written) || standing.end !== expected)
      throw new LogDamagedError(
        `the log in PostgreSQL ends at ${standing.end} instead of ${expected}: the database has lost what it had confirmed, perhaps by a failover to a standby that was behind; start the server again to go on with what is there`,
      );
    this.#session = session;
    this.#provenAt = session.askedAt;
    this.#inDoubt = undefined;
    if (isWritten) {
      this.#committed(inDoubt.group, inDoubt.calls, undefined, standing);
      return;
    }
    this.#standing = standing;
    // What it stands behind has not changed.
    if (inDoubt !== undefined) this.#putBack(inDoubt.calls);
    // A group tells whether the database is back.
    if (this.#calls.length === 0) this.#calls.push({ ...PROOF, resolve: () => {}, reject: () => {} });
  }

  #prove(): void {
    if (!this.#isRunning && performance.now() - this.#provenAt >= this.#steps.leaseMs / 5)
      this.write(PROOF.change).catch(() => undefined);
  }
}

/** Tells a call that one of its ids may be known by now. Whether it has any. */
function rejectTaken({ change, reject }: Call): boolean {
  if (change.kind !== 'append' || change.ids.length === 0) return false;
  reject(new IdTakenError());
  return true;
}
