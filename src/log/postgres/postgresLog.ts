import { UnavailableError } from '../../core/errors.ts';
import type { NewEntry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { START, offset } from '../../core/offset.ts';
import type { CommittedListener, LogRead, LogState, ReadLimits } from '../entryLog.ts';
import type { IdPlace, NewId } from '../ids.ts';
import type { InboxEnd, WaitingPost } from '../inbox.ts';
import type { Damage, DamageListener, Log, StoreListener } from '../log.ts';
import { LeadershipLostError, OwnershipLostError } from '../log.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import type { Change } from './change.ts';
import { Connection } from './connection.ts';
import type { Group } from './group.ts';
import { readInbox } from './inboxReads.ts';
import { IdLookups } from './idLookups.ts';
import type { Standby } from './open.ts';
import { openLog } from './open.ts';
import { LEASE_MS, Ownership } from './ownership.ts';
import { away, failureOf } from './pgError.ts';
import type { PostgresPlace } from './place.ts';
import { Readers } from './readers.ts';
import { arrivedBy, countOld, findIds, readEntries, readNote, readScrapers } from './reads.ts';
import { quoted } from './schema.ts';
import type { Standing } from './standing.ts';
import { readStanding } from './standing.ts';
import { StoreWatch } from './storeWatch.ts';
import type { Session, Written } from './writer.ts';
import { Writer } from './writer.ts';

/** Entries that a trim removes at once, and ids: others wait for no longer. */
const TRIM_ENTRIES = 10_000;
const FORGET_ROWS = 1_000;
/** How often a read is tried that the database gives up for others. */
const READ_TRIES = 5;
/** Damages that were told. */
const TOLD_MAX = 1_000;

export interface PostgresLogOptions {
  /** For how long an owner is known to be there after it has written, in ms. */
  readonly leaseMs?: number;
  /** Whether a start waits for a log that another has, and whoever loses it is told. Otherwise such a start fails, and who loses it is expected to end. */
  readonly standsBy?: boolean;
}

/** Of a log that another has. */
const NOT_OWNED = {
  trimmed: START,
  end: START,
  entries: 0,
  bytes: 0,
  ids: 0,
  lastArrived: millis(0),
  hadScrapers: false,
} as const;

/** The log in a schema of a PostgreSQL database, owned by one process at a time. */
export class PostgresLog implements Log, InboxEnd {
  readonly #place: PostgresPlace;
  readonly #schema: string;
  readonly #ownership: Ownership;
  readonly #readers: Readers;
  readonly #committedListeners: CommittedListener[] = [];
  readonly #damageListeners: DamageListener[] = [];
  readonly #brokenListeners: ((cause: Error) => void)[] = [];
  readonly #store = new StoreWatch();
  readonly #told = new Set<string>();
  readonly #lookups = new IdLookups((ids) =>
    this.#read((connection) => findIds(connection, this.#schema, ids)),
  );
  #writer: Writer | undefined;
  #standing: Standing | undefined;
  #closing: Promise<void> | undefined;
  /** Saves that wait: who loads finds what they bring. */
  #saves: Promise<unknown> = Promise.resolve();
  #trims: Promise<unknown> = Promise.resolve();
  readonly #broken = Promise.withResolvers<void>();
  /** Whether another has taken it. */
  #isLost = false;
  readonly #leaseMs: number;
  readonly #standsBy: boolean;
  #tellStandby: (() => void) | undefined;

  constructor(place: PostgresPlace, { leaseMs = LEASE_MS, standsBy = false }: PostgresLogOptions = {}) {
    this.#place = place;
    this.#leaseMs = leaseMs;
    this.#standsBy = standsBy;
    this.#schema = quoted(place.schema);
    this.#ownership = new Ownership(this.#schema, leaseMs);
    this.#readers = new Readers(place);
  }

  async start(): Promise<void> {
    const session = await openLog(this.#place, this.#ownership, this.#standsBy ? this.#standby() : undefined);
    try {
      if (this.#closing !== undefined) throw notOpen();
      await this.#begin(session);
    } catch (error) {
      if (this.#closing !== undefined) await this.#release(session);
      session.connection.close();
      throw error;
    }
  }

  /** Where this fails, the next owner waits for the end of the lease. */
  async #release({ connection, epoch }: Session): Promise<void> {
    await this.#ownership.release(connection, epoch).catch(() => undefined);
  }

  #standby(): Standby {
    return {
      opened: (connection) => this.#store.readWorth(connection),
      waits: () => {
        this.#store.back();
        this.#tellStandby?.();
        this.#tellStandby = undefined;
      },
      away: (why) => this.#store.away(why),
      isOver: () => this.#closing !== undefined,
    };
  }

  async #begin(session: Session): Promise<void> {
    const standing = await readStanding(session.connection, this.#schema);
    await this.#store.readWorth(session.connection);
    this.#standing = standing;
    this.#store.back();
    this.#writer = new Writer(session, standing, this.#schema, {
      leaseMs: this.#leaseMs,
      isShared: this.#standsBy,
      reopen: () => this.#reopen(),
      stand: (connection) => readStanding(connection, this.#schema),
      durable: (group, next) => this.#publish(group, next),
      broken: (cause) => {
        this.#isLost = this.#writer?.lost !== undefined;
        // It was the database that said so.
        if (this.#isLost) this.#store.back();
        this.#broken.resolve();
        for (const listener of this.#brokenListeners) listener(cause);
      },
      away: (why) => this.#store.away(why),
      back: () => this.#store.back(),
    });
  }

  isOwned(): boolean {
    return this.#writer?.isOwned === true;
  }

  onStandby(listener: () => void): void {
    this.#tellStandby = listener;
  }

  state(): LogState {
    if (this.#standing === undefined) {
      if (!this.#standsBy) throw notOpen();
      return { ...NOT_OWNED, store: this.#store.state };
    }
    const { trimmed, end, bytes, ids, lastArrived, hadScrapers } = this.#standing;
    return {
      trimmed,
      end,
      entries: end - trimmed,
      bytes,
      ids,
      lastArrived,
      hadScrapers,
      store: this.#store.state,
    };
  }

  async append(entries: readonly NewEntry[], ids: readonly NewId[] = []): Promise<Offset> {
    this.#checkOpen();
    if (entries.length > 0) return (await this.#write({ kind: 'append', entries, ids })).first;
    // Behind those that were called before.
    await this.#writer?.settled();
    return offset(this.state().end + 1);
  }

  async readInbox(): Promise<readonly WaitingPost[]> {
    this.#checkOpen();
    return this.#read((connection) => readInbox(connection, this.#schema));
  }

  async move(...[keys, entries, ids]: Parameters<InboxEnd['move']>): Promise<Offset> {
    this.#checkOpen();
    return (await this.#write({ kind: 'move', keys, entries, ids })).first;
  }

  async knownIds(ids: readonly string[]): Promise<ReadonlyMap<string, IdPlace | undefined>> {
    this.#checkOpen();
    return ids.length === 0 ? new Map() : this.#lookups.find(ids);
  }

  async refreshIds(ids: readonly string[], arrivedBefore: Millis, now: Millis): Promise<void> {
    this.#checkOpen();
    if (ids.length > 0) await this.#write({ kind: 'refreshIds', ids, arrivedBefore, arrived: now });
  }

  async forgetIds(arrivedBefore: Millis, idsMax: number): Promise<number> {
    this.#checkOpen();
    return this.#afterTrims(async () => {
      for (let early = 0; ;) {
        const old = await this.#read((connection) =>
          countOld(connection, this.#schema, FORGET_ROWS, arrivedBefore),
        );
        const count = Math.max(old, Math.min(this.state().ids - idsMax, FORGET_ROWS));
        if (count <= 0) return early;
        const { done } = await this.#write({ kind: 'forgetIds', count, arrivedBefore });
        early += done?.forgottenEarly ?? 0;
        if (done?.idsForgotten === 0) return early;
      }
    });
  }

  onCommitted(listener: CommittedListener): void {
    this.#committedListeners.push(listener);
  }

  onDamage(listener: DamageListener): void {
    this.#damageListeners.push(listener);
  }

  onRepair(): void {
    // The database mends itself, or its administrator does.
  }

  onStore(listener: StoreListener): void {
    this.#store.listen(listener);
  }

  onBroken(listener: (cause: Error) => void): void {
    this.#brokenListeners.push(listener);
  }

  async read(after: Offset, upTo: Offset, limits: ReadLimits): Promise<LogRead> {
    this.#checkOpen();
    const { trimmed, end } = this.state();
    const from = offset(Math.max(after, trimmed));
    const to = offset(Math.min(upTo, end));
    if (to <= from) return { entries: [], upTo: offset(Math.max(after, to)), lost: 0 };
    return this.#read((connection) =>
      readEntries(connection, this.#schema, { after: from, upTo: to, limits }, (...lost) =>
        this.#tellLost(connection, ...lost),
      ),
    );
  }

  async offsetAt(time: Millis): Promise<Offset> {
    this.#checkOpen();
    const { trimmed, end } = this.state();
    return this.#read((connection) => arrivedBy(connection, this.#schema, time, { trimmed, end }));
  }

  async loadScrapers(): Promise<readonly ScraperRecord[]> {
    this.#checkOpen();
    await this.#saves;
    return this.#read((connection) => readScrapers(connection, this.#schema));
  }

  async saveScraper(record: ScraperRecord): Promise<void> {
    this.#checkOpen();
    const { id, version } = record;
    await this.#save({ kind: 'saveScraper', id, version, record: JSON.stringify(record) });
  }

  async deleteScraper(id: string): Promise<void> {
    this.#checkOpen();
    await this.#save({ kind: 'deleteScraper', id });
  }

  async loadNote(key: string): Promise<string | undefined> {
    this.#checkOpen();
    await this.#saves;
    return this.#read((connection) => readNote(connection, this.#schema, key));
  }

  async saveNote(key: string, text: string): Promise<void> {
    this.#checkOpen();
    await this.#save({ kind: 'saveNote', key, text });
  }

  /** A database has its own ways to be copied. */
  async copyTo(): Promise<boolean> {
    return false;
  }

  async trim(upTo: Offset): Promise<void> {
    this.#checkOpen();
    const last = Math.min(upTo, this.state().end);
    await this.#afterTrims(async () => {
      for (let { trimmed } = this.state(); trimmed < last; { trimmed } = this.state())
        await this.#write({ kind: 'trim', upTo: offset(Math.min(last, trimmed + TRIM_ENTRIES)) });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#isLost = writer.lost !== undefined;
    if (!writer.isBroken) await this.#trims;
    const session = await writer.close();
    if (session !== undefined) {
      await this.#release(session);
      session.connection.close();
    }
    await this.#readers.close();
    this.#writer = undefined;
    this.#standing = undefined;
  }

  async #reopen(): Promise<Session> {
    const connection = await Connection.open(this.#place);
    try {
      const owned = await this.#ownership.renew(connection);
      await this.#store.readWorth(connection);
      return { connection, ...owned };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #publish({ entries }: Group, next: Standing): void {
    this.#standing = next;
    if (entries.length > 0) for (const listener of this.#committedListeners) listener(entries);
  }

  #write(change: Change): Promise<Written> {
    // A broken log answers nobody any more.
    return this.#writer === undefined ? Promise.reject(this.#notOpen()) : this.#writer.write(change);
  }

  async #save(change: Change): Promise<void> {
    const saved = this.#write(change);
    this.#saves = Promise.race([saved.catch(() => undefined), this.#broken.promise]);
    await saved;
  }

  async #read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const refusal = this.#writer?.refusal;
    if (refusal !== undefined) throw away(refusal);
    try {
      for (let triesLeft = READ_TRIES - 1; ; triesLeft -= 1) {
        try {
          return await this.#readers.read(work);
        } catch (error) {
          if (triesLeft === 0 || failureOf(error) !== 'again') throw error;
        }
      }
    } catch (error) {
      if (this.#isLost) throw new LeadershipLostError(false);
      if (error instanceof UnavailableError || failureOf(error) === 'broken') throw error;
      throw error instanceof Error && error.message === notOpen().message ? error : away(error);
    }
  }

  /** What can't be read is lost only if this is the database that this process writes to, and not a standby that is behind. */
  async #tellLost(connection: Connection, after: Offset, upTo: Offset, why: string): Promise<void> {
    if (upTo <= this.state().trimmed) return;
    if (!(await this.#ownership.isHeld(connection)))
      throw away(new OwnershipLostError('this database is not the one that is written to'));
    const damage: Damage = { after, upTo, why };
    const name = `${after}-${upTo}`;
    if (this.#told.has(name)) return;
    if (this.#told.size < TOLD_MAX) this.#told.add(name);
    for (const listener of this.#damageListeners) listener(damage);
  }

  async #afterTrims<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#trims.then(work);
    this.#trims = done.catch(() => undefined);
    return done;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined || this.#writer === undefined) throw this.#notOpen();
  }

  /** What still runs for a log that another has must not take it for a fault. */
  #notOpen(): Error {
    return this.#isLost ? new LeadershipLostError(false) : notOpen();
  }
}

function notOpen(): Error {
  return new Error('the log is not open');
}
