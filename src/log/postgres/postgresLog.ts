import { UnavailableError } from '../../core/errors.ts';
import type { NewEntry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { CommittedListener, LogRead, LogState, ReadLimits } from '../entryLog.ts';
import type { IdPlace, NewId } from '../ids.ts';
import type { Damage, DamageListener, Log, StoreListener } from '../log.ts';
import { OwnershipLostError } from '../log.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import type { Change } from './change.ts';
import { Connection } from './connection.ts';
import type { Group } from './group.ts';
import { IdLookups } from './idLookups.ts';
import { openLog } from './open.ts';
import { Ownership } from './ownership.ts';
import { away, failureOf, messageOf } from './pgError.ts';
import type { PostgresPlace } from './place.ts';
import { Readers } from './readers.ts';
import { arrivedBy, countOld, findIds, readEntries, readNote, readScrapers } from './reads.ts';
import { quoted } from './schema.ts';
import type { Standing } from './standing.ts';
import { readStanding } from './standing.ts';
import type { Session, Written } from './writer.ts';
import { Writer } from './writer.ts';
import { readWorth } from './worth.ts';

/** Entries that a trim removes at once, and ids: others wait for no longer. */
const TRIM_ENTRIES = 10_000;
const FORGET_ROWS = 1_000;
/** How often a read is tried that the database gives up for others. */
const READ_TRIES = 5;
/** Damages that were told. */
const TOLD_MAX = 1_000;

/** The log in a schema of a PostgreSQL database, owned by one process at a time. */
export class PostgresLog implements Log {
  readonly #place: PostgresPlace;
  readonly #schema: string;
  readonly #ownership: Ownership;
  readonly #readers: Readers;
  readonly #committedListeners: CommittedListener[] = [];
  readonly #damageListeners: DamageListener[] = [];
  readonly #brokenListeners: ((cause: Error) => void)[] = [];
  readonly #storeListeners: StoreListener[] = [];
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
  #awayAt: number | undefined;
  #worth: LogState['store'];

  constructor(place: PostgresPlace) {
    this.#place = place;
    this.#schema = quoted(place.schema);
    this.#ownership = new Ownership(this.#schema);
    this.#readers = new Readers(place);
  }

  async start(): Promise<void> {
    const session = await openLog(this.#place, this.#ownership);
    try {
      await this.#begin(session);
    } catch (error) {
      session.connection.close();
      throw error;
    }
  }

  async #begin(session: Session): Promise<void> {
    const standing = await readStanding(session.connection, this.#schema);
    await this.#readWorth(session.connection);
    this.#standing = standing;
    this.#writer = new Writer(session, standing, this.#schema, {
      reopen: () => this.#reopen(),
      stand: (connection) => readStanding(connection, this.#schema),
      durable: (group, next) => this.#publish(group, next),
      broken: (cause) => {
        this.#broken.resolve();
        for (const listener of this.#brokenListeners) listener(cause);
      },
      away: (why) => {
        this.#awayAt = performance.now();
        this.#tellStore({ kind: 'away', why: messageOf(why) });
      },
      back: () => {
        this.#tellStore({ kind: 'back', afterMs: performance.now() - (this.#awayAt ?? 0) });
        this.#awayAt = undefined;
      },
    });
  }

  state(): LogState {
    if (this.#standing === undefined) throw notOpen();
    const { trimmed, end, bytes, ids, lastArrived, hadScrapers } = this.#standing;
    const store = this.#worth && { ...this.#worth, isAway: this.#awayAt !== undefined };
    return { trimmed, end, entries: end - trimmed, bytes, ids, lastArrived, hadScrapers, store };
  }

  async append(entries: readonly NewEntry[], ids: readonly NewId[] = []): Promise<Offset> {
    this.#checkOpen();
    if (entries.length > 0) return (await this.#write({ kind: 'append', entries, ids })).first;
    // Behind those that were called before.
    await this.#writer?.settled();
    return offset(this.state().end + 1);
  }

  async knownIds(ids: readonly string[]): Promise<ReadonlyMap<string, IdPlace>> {
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
    this.#storeListeners.push(listener);
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
    if (!writer.isBroken) await this.#trims;
    const session = await writer.close();
    if (session !== undefined) {
      // Where this fails, the next owner waits for the end of the lease.
      await this.#ownership.release(session.connection, session.epoch).catch(() => undefined);
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
      await this.#readWorth(connection);
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

  async #readWorth(connection: Connection): Promise<void> {
    const before = this.#worth?.survives;
    const worth = await readWorth(connection);
    this.#worth = { ...worth, isAway: false };
    if (worth.survives !== before) this.#tellStore({ kind: 'worth', ...worth });
  }

  #write(change: Change): Promise<Written> {
    // A broken log answers nobody any more.
    return this.#writer === undefined ? Promise.reject(notOpen()) : this.#writer.write(change);
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

  #tellStore(news: Parameters<StoreListener>[0]): void {
    for (const listener of this.#storeListeners) listener(news);
  }

  async #afterTrims<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#trims.then(work);
    this.#trims = done.catch(() => undefined);
    return done;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined || this.#writer === undefined) throw notOpen();
  }
}

function notOpen(): Error {
  return new Error('the log is not open');
}
