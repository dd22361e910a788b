import { hash } from 'node:crypto';
import type { Entry, NewEntry } from '../../core/entry.ts';
import { UnavailableError } from '../../core/errors.ts';
import { Share, textBytes } from '../../core/memory.ts';
import { ENTRY_BYTES, unitBytes } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset, START } from '../../core/offset.ts';
import type { Log } from '../log.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import type { IdPlace, NewId } from '../ids.ts';
import type { CommittedListener, LogRead, LogState, ReadLimits } from '../entryLog.ts';
import { OwnershipLostError } from '../log.ts';

/** A longer id is kept as a hash of so many characters, which leaves no chance of two ids with one hash. */
const ID_CHARACTERS_MAX = 22;
const RETRY_AFTER_SECONDS = 5;

/** What is known of an id. */
interface KnownId {
  readonly arrived: Millis;
  readonly place: IdPlace;
}

/**
 * The log in memory: for tests, and where losing everything at a stop is fine. Durable means no more here than "in order and
 * told": nothing survives the process. Its owner trims it; beyond its memory nothing is appended.
 */
export class MemoryLog implements Log {
  readonly #memory: Share;
  readonly #listeners: CommittedListener[] = [];
  /** Empty once they have been told. */
  readonly #brokenListeners: ((cause: Error) => void)[] = [];
  readonly #scrapers = new Map<string, ScraperRecord>();
  /** Dense: the entry of offset o stands at `#first + o - trimmed - 1`. What lies before `#first` was trimmed. */
  #entries: Entry[] = [];
  #first = 0;
  #trimmed: Offset = START;
  #bytes = 0;
  #lastArrived = 0 as Millis;
  readonly #notes = new Map<string, string>();
  /** The oldest first. */
  readonly #ids = new Map<string, KnownId>();
  #refreshedAt = 0 as Millis;
  #hadScrapers = false;
  #isOpen = false;

  constructor(memory: Share = new Share(Infinity)) {
    this.#memory = memory;
  }

  async start(): Promise<void> {
    this.#isOpen = true;
  }

  state(): LogState {
    this.#checkOpen();
    const entries = this.#entries.length - this.#first;
    return {
      trimmed: this.#trimmed,
      end: this.#end,
      entries,
      bytes: this.#bytes,
      ids: this.#ids.size,
      lastArrived: this.#lastArrived,
      hadScrapers: this.#hadScrapers,
    };
  }

  async append(entries: readonly NewEntry[], ids: readonly NewId[] = []): Promise<Offset> {
    this.#checkOpen();
    // Listeners run outside the call, as with a log that has to wait; microtasks keep the order of the calls.
    await Promise.resolve();
    let bytes = 0;
    for (const { series } of entries) bytes += entryBytes(series);
    if (!this.#memory.take(bytes)) throw noRoom();
    this.#bytes += bytes;
    const committed: Entry[] = [];
    const first = offset(this.#end + 1);
    let place = this.#end;
    for (const { kind, series, value, time, arrived } of entries) {
      place = offset(place + 1);
      committed.push({ offset: place, kind, series, value, time, arrived });
    }
    const last = committed.at(-1);
    if (last === undefined) return first;
    for (const entry of committed) this.#entries.push(entry);
    this.#lastArrived = last.arrived;
    const arrived = millis(Math.max(last.arrived, this.#refreshedAt));
    for (const { id, at, count } of ids) {
      const key = keyOf(id);
      if (!this.#ids.has(key)) this.#ids.set(key, { arrived, place: { first: offset(first + at), count } });
    }
    for (const listener of this.#listeners) listener(committed);
    return first;
  }

  async knownIds(ids: readonly string[]): Promise<ReadonlyMap<string, IdPlace>> {
    this.#checkOpen();
    const known = new Map<string, IdPlace>();
    for (const id of ids) {
      const found = this.#ids.get(keyOf(id));
      if (found !== undefined) known.set(id, found.place);
    }
    return known;
  }

  async refreshIds(ids: readonly string[], arrivedBefore: Millis, now: Millis): Promise<void> {
    this.#checkOpen();
    const arrived = millis(Math.max(now, this.#lastArrived, this.#refreshedAt));
    for (const id of ids.map(keyOf)) {
      const known = this.#ids.get(id);
      if (known === undefined || known.arrived >= arrivedBefore) continue;
      this.#ids.delete(id);
      this.#ids.set(id, { ...known, arrived });
      this.#refreshedAt = arrived;
    }
  }

  async forgetIds(arrivedBefore: Millis, idsMax: number): Promise<number> {
    this.#checkOpen();
    let early = 0;
    for (const [id, { arrived }] of this.#ids) {
      if (arrived >= arrivedBefore) {
        if (this.#ids.size <= idsMax) break;
        early += 1;
      }
      this.#ids.delete(id);
    }
    return early;
  }

  onCommitted(listener: CommittedListener): void {
    this.#listeners.push(listener);
  }

  onDamage(): void {
    // Memory is never damaged.
  }

  onRepair(): void {
    // Nor anything else in it.
  }

  onBroken(listener: (cause: Error) => void): void {
    this.#brokenListeners.push(listener);
  }

  async read(after: Offset, upTo: Offset, { entriesMax, bytesMax }: ReadLimits): Promise<LogRead> {
    this.#checkOpen();
    const from = this.#indexBeyond(after);
    const most = Math.min(this.#indexBeyond(upTo), from + entriesMax);
    let index = from;
    for (let bytes = 0; index < most && bytes < bytesMax; index += 1)
      bytes += memoryBytes(this.#entries[index] as Entry);
    const entries = this.#entries.slice(from, index);
    const reached = entries.at(-1)?.offset ?? Math.min(upTo, this.#end);
    return { entries, upTo: offset(Math.max(after, reached)), lost: 0 };
  }

  async offsetAt(time: Millis): Promise<Offset> {
    this.#checkOpen();
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).arrived <= time) low = middle + 1;
      else high = middle;
    }
    return offset(this.#trimmed + low - this.#first);
  }

  async loadScrapers(): Promise<readonly ScraperRecord[]> {
    this.#checkOpen();
    return [...this.#scrapers.values()];
  }

  async saveScraper(record: ScraperRecord): Promise<void> {
    this.#checkOpen();
    const saved = this.#scrapers.get(record.id)?.version ?? 0;
    // Nobody else can reach this memory, so it is a programmer's error; but a port keeps its promises.
    if (record.version <= saved) return this.#break(new OwnershipLostError(conflict(record, saved)));
    this.#scrapers.set(record.id, record);
    this.#hadScrapers = true;
  }

  /** Tells that it can't go on; what waits for that never ends. */
  #break(cause: Error): Promise<never> {
    for (const tell of this.#brokenListeners.splice(0)) tell(cause);
    return new Promise(() => undefined);
  }

  async deleteScraper(id: string): Promise<void> {
    this.#checkOpen();
    this.#scrapers.delete(id);
  }

  async loadNote(key: string): Promise<string | undefined> {
    this.#checkOpen();
    return this.#notes.get(key);
  }

  async saveNote(key: string, text: string): Promise<void> {
    this.#checkOpen();
    this.#notes.set(key, text);
  }

  async copyTo(): Promise<boolean> {
    return false;
  }

  async trim(upTo: Offset): Promise<void> {
    this.#checkOpen();
    const first = this.#indexBeyond(upTo);
    let freed = 0;
    for (let i = this.#first; i < first; i += 1) {
      freed += entryBytes((this.#entries[i] as Entry).series);
    }
    this.#bytes -= freed;
    this.#memory.give(freed);
    this.#trimmed = offset(this.#trimmed + first - this.#first);
    this.#first = first;
    // Cutting the array costs what stays in it, so it waits until that is the smaller half.
    if (this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The appends called before have queued their microtasks before this one.
    await Promise.resolve();
    this.#isOpen = false;
  }

  get #end(): Offset {
    return offset(this.#trimmed + this.#entries.length - this.#first);
  }

  /** The index of the first entry beyond a place. */
  #indexBeyond(place: Offset): number {
    return Math.min(Math.max(this.#first + place - this.#trimmed, this.#first), this.#entries.length);
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Error('the log is not open');
  }
}

function memoryBytes({ series }: Pick<Entry, 'series'>): number {
  return ENTRY_BYTES + series.length * unitBytes(series);
}

function entryBytes(series: string): number {
  return ENTRY_BYTES + textBytes(series);
}

function keyOf(id: string): string {
  return id.length < ID_CHARACTERS_MAX ? id : hash('sha256', id, 'base64url').slice(0, ID_CHARACTERS_MAX);
}

function noRoom(): UnavailableError {
  return new UnavailableError(
    'log_full',
    'the log in memory is full until its oldest events are removed; send it again later, raise memory.max, or keep the log on disk with store.kind=sqlite',
    RETRY_AFTER_SECONDS,
  );
}

function conflict({ id, version }: ScraperRecord, saved: number): string {
  return `scraper ${JSON.stringify(id)} is saved in version ${saved}, so version ${version} can't follow`;
}
