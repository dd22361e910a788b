import { randomBytes } from 'node:crypto';
import type { Millis } from '../../core/millis.ts';
import type { Inbox, InboxPost, Put } from '../inbox.ts';
import { Connection } from './connection.ts';
import { InboxGroup, hashesOf } from './inboxGroup.ts';
import type { InboxCall } from './inboxGroup.ts';
import { away, failureOf, noRoom, tooManyWait } from './pgError.ts';
import { pause } from './pause.ts';
import type { PostgresPlace } from './place.ts';
import { quoted } from './schema.ts';

/** How long a post waits for a database that is away, in ms. */
const WAIT_MS_MAX = 5_000;
const LOOK_EVERY_MS = 250;
/** What may wait. */
const WAITING_MAX = 20_000;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;
/** How often a statement is tried again that the database gives up for others. */
const TRIES_MAX = 10;
/** A statement that waits for the lock of another for so long is given up. */
const LOCK_MS_MAX = 5_000;
/** Rows of servers that are gone are removed after this. */
const GONE = "interval '1 day'";

const NO_ANSWER = new Error(`no answer for ${WAIT_MS_MAX / 1000} s`);

interface Session {
  readonly connection: Connection;
  readonly epoch: number;
  /** The number of the last group of this server that is committed. */
  readonly written: number;
}

/**
 * Puts posts into the inbox, in groups: one statement at a time for all who wait. A row of its own, with an epoch and the number of the last
 * group, tells what became of a statement whose answer was lost, as the row of the log does for the leader.
 */
export class InboxWriter implements Inbox {
  readonly #place: PostgresPlace;
  readonly #schema: string;
  /** Of this start, and of no other. */
  #replica = newReplica();
  #session: Session | undefined;
  #calls: InboxCall[] = [];
  #bytes = 0;
  #lastCall = 0;
  #isRunning = false;
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #why: unknown = NO_ANSWER;
  /** From when on there is no answer. */
  #silentSince: number | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(place: PostgresPlace) {
    this.#place = place;
    this.#schema = quoted(place.schema);
    this.#timer = setInterval(() => this.#refuseLate(), LOOK_EVERY_MS).unref();
  }

  put(post: InboxPost): Promise<Put> {
    return this.#enter(post, []);
  }

  async refresh(ids: readonly string[], arrived: Millis): Promise<void> {
    await this.#enter({ events: [], requestId: undefined, arrived }, ids);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    if (this.#isRunning) {
      this.#idle = Promise.withResolvers<void>();
      const timer = setTimeout(() => this.#idle?.resolve(), WAIT_MS_MAX);
      await this.#idle.promise;
      clearTimeout(timer);
    }
    clearInterval(this.#timer);
    this.#session?.connection.close();
  }

  #enter(post: InboxPost, refresh: readonly string[]): Promise<Put> {
    return new Promise((resolve, reject) => {
      const bytes = post.events.reduce((sum, { series }) => sum + series.length + 200, 200);
      // Where nobody tries, this one does.
      if (this.#isSilent && this.#isRunning) reject(away(this.#why));
      else if (this.#calls.length >= WAITING_MAX || this.#bytes + bytes > WAITING_BYTES_MAX)
        reject(tooManyWait());
      else {
        this.#lastCall += 1;
        const name = this.#lastCall.toString(36);
        const hashes = hashesOf(post);
        this.#calls.push({ post, refresh, name, hashes, bytes, at: performance.now(), resolve, reject });
        this.#bytes += bytes;
        this.#start();
      }
    });
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#calls.length > 0) {
      const { taken, left } = InboxGroup.take(this.#calls);
      this.#calls = left;
      for (const { bytes } of taken) this.#bytes -= bytes;
      await this.#write(taken);
      // Those who were answered together tend to come again together.
      if (this.#calls.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRunning = false;
    this.#idle?.resolve();
  }

  /** Settles all of the calls. */
  async #write(calls: readonly InboxCall[]): Promise<void> {
    this.#silentSince ??= performance.now();
    let group: InboxGroup | undefined;
    // Whether it may be committed, or become so.
    let isInDoubt = false;
    let triesLeft = TRIES_MAX;
    for (let failures = 0; ; failures += 1) {
      let isAsked = false;
      try {
        const session = (this.#session ??= await this.#open());
        group ??= new InboxGroup(calls, this.#replica, session.written + 1, this.#schema);
        if (isInDoubt && session.written === group.number) {
          this.#done(group, await group.freshOf(session.connection));
          return;
        }
        isInDoubt = true;
        isAsked = true;
        const rows = await session.connection.query(group.statement(session.epoch));
        const fresh = group.readFresh(rows);
        if (fresh !== undefined) {
          this.#session = { ...session, written: group.number };
          this.#done(group, fresh);
          return;
        }
        // Somebody removed the row of this server, which had nothing to say for long: nothing was done.
        isInDoubt = false;
        group = undefined;
        this.#leave();
        this.#replica = newReplica();
      } catch (error) {
        const failure = failureOf(error);
        this.#why = error;
        // Of this statement nothing is stored, and of those before it nothing can be any more.
        if (isAsked && (failure === 'again' || failure === 'elsewhere')) isInDoubt = false;
        if (failure === 'again') triesLeft -= 1;
        else if (failure === 'noRoom' || failure === 'refused' || failure === 'broken') {
          this.#silentSince = undefined;
          this.#reject(
            calls,
            failure === 'noRoom' ? noRoom(error) : failure === 'refused' ? away(error) : (error as Error),
          );
          return;
        } else this.#leave();
        // An outcome that is unknown is looked up, however long that takes.
        if (!isInDoubt && (this.#isSilent || triesLeft === 0)) {
          this.#reject(calls, away(error));
          return;
        }
        if (this.#isClosed && this.#isSilent) return;
        await pause(Math.min(PAUSE_MS_MIN * 2 ** failures, PAUSE_MS_MAX));
      }
    }
  }

  #done(group: InboxGroup, fresh: ReadonlySet<string>): void {
    this.#silentSince = undefined;
    group.settle(fresh);
  }

  #reject(calls: readonly InboxCall[], why: Error): void {
    for (const { reject } of calls) reject(why);
  }

  #leave(): void {
    this.#session?.connection.close();
    this.#session = undefined;
  }

  get #isSilent(): boolean {
    return this.#silentSince !== undefined && performance.now() - this.#silentSince > WAIT_MS_MAX;
  }

  /** What waits behind a database that is silent is told that it was not stored. */
  #refuseLate(): void {
    if (!this.#isSilent || this.#calls.length === 0) return;
    const late = this.#calls;
    this.#calls = [];
    this.#bytes = 0;
    this.#reject(late, away(this.#why));
  }

  /**
   * Raises the epoch of this server's row. This waits for its lock: a statement that still runs ends before, and one that has not begun finds another epoch
   * and does nothing.
   */
  async #open(): Promise<Session> {
    const connection = await Connection.open(this.#place);
    try {
      const replicas = `${this.#schema}.replicas`;
      const [row = []] = await connection.script(
        `BEGIN; SET LOCAL lock_timeout = ${LOCK_MS_MAX};
        INSERT INTO ${replicas} (id, epoch, written, seen) VALUES ('${this.#replica}', 1, 0, now())
          ON CONFLICT (id) DO UPDATE SET epoch = ${replicas}.epoch + 1, seen = now();
        DELETE FROM ${replicas} WHERE seen < now() - ${GONE};
        COMMIT;
        SELECT epoch, written FROM ${replicas} WHERE id = '${this.#replica}'`,
      );
      return { connection, epoch: Number(row[0]), written: Number(row[1]) };
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

function newReplica(): string {
  return randomBytes(9).toString('base64url');
}
