import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Entry, NewEntry } from '../../core/entry.ts';
import { UnavailableError } from '../../core/errors.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset, START } from '../../core/offset.ts';
import type { DamageListener, Log, RepairListener } from '../log.ts';
import type { IdPlace, NewId } from '../ids.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import type { CommittedListener, LogRead, LogState, ReadLimits } from '../entryLog.ts';
import { LogDamagedError } from '../log.ts';
import type { Append, Written } from './groupCommit.ts';
import { GroupCommit } from './groupCommit.ts';
import { ID_BYTES } from './idTable.ts';
import { OpenFiles } from './openFiles.ts';
import { isDamaged, messageOf } from './sqliteError.ts';
import type { Sync } from './sync.ts';
import { leastCostSync } from './sync.ts';

/** What survives once a promise resolves: a loss of power, or no more than the death of the process. */
type Durability = 'power' | 'process';

export interface SqliteLogOptions {
  /** The folder of the log; made where it is missing. */
  readonly path: string;
  readonly durability: Durability;
  /** The most pages (of 4 KiB) that the database may have; without it the disk is the limit. */
  readonly pagesMax?: number;
  /** Makes a file durable; tests put their own here. */
  readonly sync?: Sync;
}

const FILE = 'events.db';
/** Entries that a trim removes at once: 1 ms at most, before others get their turn. */
const TRIM_ENTRIES = 2000;
/** Ids that are removed at once; each changes a page of its own. */
const FORGET_ROWS = 250;
/** Ids that are looked up at once: some milliseconds. */
const KNOWN_ROWS = 1000;
const NONE_REFUSED: Written['refused'] = new Map();
const NONE_KNOWN: ReadonlyMap<string, undefined> = new Map();
/** How old the figure of `bytes` may get, in ms. */
const MEASURED_MS_MAX = 1000;

/** The log in one SQLite file, owned by one process. Everything but the sync runs on the main thread. */
export class SqliteLog implements Log {
  readonly #file: string;
  readonly #pagesMax: number | undefined;
  readonly #sync: Sync;
  readonly #commits: GroupCommit;
  readonly #committedListeners: CommittedListener[] = [];
  readonly #damageListeners: DamageListener[] = [];
  readonly #repairListeners: RepairListener[] = [];
  readonly #brokenListeners: ((cause: Error) => void)[] = [];
  #files: OpenFiles | undefined;
  #closing: Promise<void> | undefined;
  /** The last synced entry: what lies beyond it is not shown to anybody. */
  #end: Offset = START;
  #lastArrived: Millis = millis(0);
  #bytes = 0;
  #measuredAt = 0;
  #trims: Promise<unknown> = Promise.resolve();
  #copying: Promise<unknown> = Promise.resolve();

  constructor({ path, durability, pagesMax, sync = leastCostSync() }: SqliteLogOptions) {
    this.#file = join(resolve(path), FILE);
    this.#pagesMax = pagesMax;
    this.#sync = durability === 'power' ? sync : async () => {};
    this.#commits = new GroupCommit({
      write: (calls) => this.#writeCalls(calls),
      sync: (waiting) => this.#openFiles.sync(this.#sync, waiting),
      durable: (entries) => this.#publish(entries),
      broken: (cause) => {
        const told = isDamaged(cause) ? this.#damaged(cause) : cause;
        for (const listener of this.#brokenListeners) listener(told);
      },
    });
  }

  async start(): Promise<void> {
    const files = await OpenFiles.open(
      this.#file,
      this.#sync,
      {
        damage: (damage) => {
          for (const listener of this.#damageListeners) listener(damage);
        },
        repair: (repair) => {
          for (const listener of this.#repairListeners) listener(repair);
        },
      },
      this.#pagesMax,
    );
    this.#files = files;
    this.#end = files.entries.end;
    this.#lastArrived = files.entries.lastArrived;
    this.#measure();
  }

  state(): LogState {
    const { entries, ids, scrapers } = this.#openFiles;
    if (performance.now() - this.#measuredAt >= MEASURED_MS_MAX) this.#measure();
    return {
      trimmed: entries.trimmed,
      end: this.#end,
      entries: this.#end - entries.trimmed,
      bytes: this.#bytes,
      ids: ids.count,
      lastArrived: this.#lastArrived,
      hadScrapers: scrapers.hadScrapers,
    };
  }

  async append(entries: readonly NewEntry[], ids: readonly NewId[] = []): Promise<Offset> {
    this.#checkOpen();
    return entries.length === 0
      ? offset(this.#openFiles.entries.end + 1)
      : this.#commits.append(entries, ids);
  }

  async knownIds(ids: readonly string[]): Promise<ReadonlyMap<string, IdPlace | undefined>> {
    this.#checkOpen();
    if (!this.#openFiles.ids.isLoaded) await this.#loadIds();
    // Most are new.
    let known: Map<string, IdPlace | undefined> | undefined;
    for (let index = 0; index < ids.length; index += 1) {
      const id = ids[index] as string;
      const found = this.#try(() => this.#openFiles.ids.find(id));
      if (found === 'broken') return never();
      if (found !== undefined) (known ??= new Map()).set(id, found.place);
      if (index % KNOWN_ROWS === KNOWN_ROWS - 1) await setImmediate();
    }
    return known ?? NONE_KNOWN;
  }

  async refreshIds(ids: readonly string[], arrivedBefore: Millis, now: Millis): Promise<void> {
    this.#checkOpen();
    if (!this.#openFiles.ids.isLoaded) await this.#loadIds();
    const arrived = millis(Math.max(now, this.#lastArrived));
    await this.#write(() => this.#openFiles.ids.refresh(ids, arrivedBefore, arrived));
    await this.#commits.synced();
  }

  /** After a start ids are loaded when the first of them is asked for, in steps, so that others have their turns. */
  async #loadIds(): Promise<void> {
    while (!this.#openFiles.ids.isLoaded) {
      if (this.#try(() => this.#openFiles.ids.loadMore()) === 'broken') return never();
      await setImmediate();
    }
  }

  async forgetIds(arrivedBefore: Millis, idsMax: number): Promise<number> {
    this.#checkOpen();
    return this.#afterTrims(async () => {
      for (let early = 0; ;) {
        const forgotten = this.#try(() => this.#openFiles.ids.forget(arrivedBefore, idsMax, FORGET_ROWS));
        if (forgotten === 'broken' || forgotten.ids === 0) return forgotten === 'broken' ? forgotten : early;
        early += forgotten.early;
        await setImmediate();
      }
    });
  }

  onCommitted(listener: CommittedListener): void {
    this.#committedListeners.push(listener);
  }

  onDamage(listener: DamageListener): void {
    this.#damageListeners.push(listener);
  }

  onRepair(listener: RepairListener): void {
    this.#repairListeners.push(listener);
  }

  onBroken(listener: (cause: Error) => void): void {
    this.#brokenListeners.push(listener);
  }

  async read(after: Offset, upTo: Offset, limits: ReadLimits): Promise<LogRead> {
    this.#checkOpen();
    return this.#openFiles.entries.read(after, offset(Math.min(upTo, this.#end)), limits);
  }

  async offsetAt(time: Millis): Promise<Offset> {
    this.#checkOpen();
    return this.#openFiles.entries.arrivedBy(time, this.#end);
  }

  async loadScrapers(): Promise<readonly ScraperRecord[]> {
    this.#checkOpen();
    return this.#openFiles.scrapers.load();
  }

  async saveScraper(record: ScraperRecord): Promise<void> {
    this.#checkOpen();
    // Runs up to its first wait before this call returns, so the record is committed by then.
    await this.#write(() => this.#openFiles.scrapers.save(record));
    await this.#commits.synced();
  }

  async deleteScraper(id: string): Promise<void> {
    this.#checkOpen();
    await this.#write(() => this.#openFiles.scrapers.delete(id));
    await this.#commits.synced();
  }

  async loadNote(key: string): Promise<string | undefined> {
    this.#checkOpen();
    return this.#openFiles.notes.load(key);
  }

  async saveNote(key: string, text: string): Promise<void> {
    this.#checkOpen();
    await this.#write(() => this.#openFiles.notes.save(key, text));
    await this.#commits.synced();
  }

  async copyTo(file: string): Promise<boolean> {
    this.#checkOpen();
    const copying = this.#openFiles.copyTo(file);
    this.#copying = copying.catch(() => {});
    await copying;
    return true;
  }

  async trim(upTo: Offset): Promise<void> {
    this.#checkOpen();
    const last = offset(Math.min(upTo, this.#end));
    await this.#afterTrims(() => this.#trimChunks(last));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#files === undefined) return;
    await this.#trims;
    await this.#copying;
    await this.#commits.idle();
    await this.#files.close();
    this.#files = undefined;
  }

  /** All calls together; where they have no room together, each by itself, so that a large one takes no small one with it. */
  #writeCalls(calls: readonly Append[]): Written {
    const { entries } = this.#openFiles;
    try {
      return { entries: entries.append(calls), refused: NONE_REFUSED };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      return calls.length === 1 ? { entries: [], refused: new Map([[0, error]]) } : this.#writeEach(calls);
    }
  }

  #writeEach(calls: readonly Append[]): Written {
    const entries: Entry[] = [];
    const refused = new Map<number, Error>();
    for (const [index, call] of calls.entries()) {
      try {
        for (const entry of this.#openFiles.entries.append([call], false)) entries.push(entry);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        refused.set(index, error);
      }
    }
    return { entries, refused };
  }

  #publish(committed: readonly Entry[]): void {
    const last = committed.at(-1) as Entry;
    this.#end = last.offset;
    this.#lastArrived = last.arrived;
    this.#openFiles.noteEnd(last.offset);
    for (const listener of this.#committedListeners) listener(committed);
  }

  /** The transactions are small, and between them others run. Trims follow each other, and one that was overtaken does nothing. */
  async #trimChunks(last: Offset): Promise<'done' | 'broken'> {
    const { entries } = this.#openFiles;
    while (entries.trimmed < last) {
      const chunkEnd = entries.trimStep(last, TRIM_ENTRIES);
      if (this.#try(() => entries.trim(chunkEnd)) === 'broken') return 'broken';
      await setImmediate();
    }
    this.#measure();
    return 'done';
  }

  /** Does a small change at once. Never returns where it left unknown what is on disk. */
  async #write(change: () => void): Promise<void> {
    if (this.#try(change) === 'broken') await never();
  }

  /** Does a small change at once, unless the log is broken; it is from then on where the change left unknown what is on disk. */
  #try<T>(change: () => T): T | 'broken' {
    if (this.#commits.isBroken) return 'broken';
    try {
      return change();
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      this.#commits.break(error as Error);
      return 'broken';
    }
  }

  /** Does what takes many small changes, one after the other and waited for by the close. Never returns where the log is broken. */
  async #afterTrims<T>(work: () => Promise<T | 'broken'>): Promise<T> {
    const done = this.#trims.then(work);
    this.#trims = done.catch(() => {});
    const result = await done;
    return result === 'broken' ? never() : result;
  }

  /** A transaction that met damage was rolled back, and nothing of it is on the disk; but the next would meet it again. */
  #damaged(cause: Error): LogDamagedError {
    this.#openFiles.askForRebuild(messageOf(cause));
    return new LogDamagedError(
      `the log ${this.#file} is damaged (${messageOf(cause)}); start the server again: that repairs the log, or says what to do`,
      { cause },
    );
  }

  #measure(): void {
    const { entries, ids } = this.#openFiles;
    this.#bytes = Math.max(0, entries.bytes() - ids.count * ID_BYTES);
    this.#measuredAt = performance.now();
    this.#try(() => this.#openFiles.checkInPlace());
  }

  get #openFiles(): OpenFiles {
    if (this.#files === undefined) throw new Error('the log is not open');
    return this.#files;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined || this.#files === undefined) throw new Error('the log is not open');
  }
}

/** What a call waits for that must never settle. */
function never(): Promise<never> {
  return new Promise(() => {});
}
