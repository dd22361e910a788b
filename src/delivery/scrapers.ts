import { UnavailableError } from '../core/errors.ts';
import type { Clock, Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { settle, countSettlement } from './settle.ts';
import type { Offset } from '../core/offset.ts';
import { START } from '../core/offset.ts';
import type { Position } from '../core/position.ts';
import { positionAt } from '../core/position.ts';
import { pastFrom, unknownPast, unknownThrough } from '../core/past.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { IdentifiedBy, ScraperRecord, ScraperRecords } from '../log/scraperRecords.ts';
import type { Counts } from '../counting/counts.ts';
import type { Select } from './select.ts';
import type { Tail } from './tail.ts';

/** Who scrapes, as the request told. */
export interface Identity {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
  readonly address: string;
  /** Whether it named itself by a variable that nobody has replaced, which is no name. */
  readonly isVariable?: boolean;
}

/** One who comes now. */
export interface Arrival {
  readonly id: string;
  /** Of one who became known, or came for the second time: resolves when that is durable. Whoever offers something to it in the meantime waits for one sync in all. */
  readonly saved: Promise<unknown> | undefined;
}

export interface ScraperLimits {
  readonly max: number;
  /** How far before its first scrape an unknown scraper starts, in ms. */
  readonly lookbackMs: number;
}

/** What is worth a line in the server's log. */
export interface ScraperNews {
  appeared(record: ScraperRecord): void;
  forgotten(record: ScraperRecord, pending: number): void;
  tooMany(identity: Identity): void;
  unsaved(record: ScraperRecord, cause: unknown): void;
}

/** One that is configured, and that we call. */
export interface SinkIdentity extends Identity {
  readonly identifiedBy: 'sink';
}

/** A sink as it is configured. `select`: which series it is to get; undefined for all. */
export interface ConfiguredSink {
  readonly identity: SinkIdentity;
  readonly select: Select | undefined;
}

/** Begins the ids of sinks, and of nobody else. */
export const SINK_PREFIX = 'sink:';

/** Who is known by these gave no id: anybody who looks at `/metrics` is. */
const NO_OWN_ID: ReadonlySet<IdentifiedBy> = new Set(['address', 'pod']);

/**
 * The scrapers that are known, and the only place where their records change. A record in memory is always the newest; the log
 * has it as soon as it can.
 */
export class Scrapers {
  readonly #log: EntryLog & ScraperRecords;
  readonly #tail: Tail;
  readonly #clock: Clock;
  readonly #limits: ScraperLimits;
  readonly #counts: Counts;
  readonly #news: ScraperNews;
  readonly #records = new Map<string, ScraperRecord>();
  /** Ids that are never forgotten, since the configuration names them. */
  readonly #kept = new Set<string>();
  readonly #sinks = new Map<string, ConfiguredSink>();
  /** Those that are being forgotten, until the log has done so. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #changed: ((id: string) => void)[] = [];
  #ever = false;
  #forgottenAt = START;

  constructor(
    log: EntryLog & ScraperRecords,
    tail: Tail,
    clock: Clock,
    limits: ScraperLimits,
    counts: Counts,
    news: ScraperNews,
  ) {
    this.#log = log;
    this.#tail = tail;
    this.#clock = clock;
    this.#limits = limits;
    this.#counts = counts;
    this.#news = news;
  }

  /**
   * Loads what the log knows: offers that were out are settled as a restart demands. `known` ids and sinks are made known if they are not.
   * Everybody counts as just seen, since nobody could come while the server was away.
   */
  async start(known: readonly string[], sinks: readonly ConfiguredSink[] = []): Promise<void> {
    this.#ever = this.#log.state().hadScrapers;
    const now = this.#clock();
    for (const record of await this.#log.loadScrapers()) {
      let position: Position = {
        ...record.position,
        past: record.position.past ?? unknownPast(record.position.head),
      };
      for (const offer of record.position.offers) {
        const settlement = settle(position, offer.id, 'restart');
        countSettlement(this.#counts, settlement);
        position = settlement.position;
      }
      // Their sockets are gone, so no late proof can come; and the numbers of offers begin anew.
      position = { ...position, repeats: [] };
      const { select, ...rest } = record;
      const selected = sinks.find(({ identity }) => identity.id === record.id);
      const isSame = selected === undefined || selected.select?.key === select?.key;
      // What came back was to be settled by one selection, and is by another. So of all before it isn't known which of the two it was.
      const isMixed = !isSame && (select !== undefined || position.returned.length > 0);
      if (isMixed) position = { ...position, past: unknownThrough(position.past, position.head) };
      const kept = isSame ? select : selectFrom(selected.select, position.head);
      this.#records.set(record.id, { ...rest, ...(kept !== undefined && { select: kept }), lastSeen: now });
      await this.update(record.id, { position });
    }
    for (const sink of sinks) this.#sinks.set(sink.identity.id, sink);
    const expected: readonly Identity[] = [
      ...known.map((id) => ({ id, identifiedBy: 'parameter', address: '' }) as const),
      ...sinks.map(({ identity }) => identity),
    ];
    for (const identity of expected) {
      this.#kept.add(identity.id);
      if (!this.#records.has(identity.id)) await this.#add(identity, this.#tail.end, now);
    }
  }

  /** Tells the listener of each scraper that became known, came for the second time, went on in the log, or was forgotten: once that is so, though it may not be durable yet. */
  onChanged(listener: (id: string) => void): void {
    this.#changed.push(listener);
  }

  /** Whether the configuration says that this one will come. */
  isKept(id: string): boolean {
    return this.#kept.has(id);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Whether anybody scrapes, apart from those who came once and gave no id of their own. */
  anyLasting(): boolean {
    for (const { isOneVisit } of this.#records.values()) if (isOneVisit !== true) return true;
    return false;
  }

  /** The end of the log when a scraper was last forgotten, if it had come more than once: entries up to it were delivered to it, or counted as lost with it. */
  get forgottenAt(): Offset {
    return this.#forgottenAt;
  }

  all(): IterableIterator<ScraperRecord> {
    return this.#records.values();
  }

  get(id: string): ScraperRecord | undefined {
    return this.#records.get(id);
  }

  /** Which series a scraper is to get; undefined for all. */
  selectOf(id: string): Select | undefined {
    return this.#sinks.get(id)?.select;
  }

  /** A scraper comes; an unknown one becomes known. Throws an UnavailableError when there are too many. */
  async seen(identity: Identity): Promise<Arrival> {
    // Who comes while it is being forgotten is a new scraper, or, where the log had no room for that, the old one.
    await this.#leaving.get(identity.id)?.catch(() => undefined);
    const now = this.#clock();
    const record = this.#records.get(identity.id);
    if (record !== undefined) {
      const { isOneVisit, ...rest } = record;
      this.#records.set(identity.id, { ...rest, ...identity, lastSeen: now });
      // A restart must find that it came again.
      const saved = isOneVisit === true ? this.update(identity.id, { position: rest.position }) : undefined;
      return { id: identity.id, saved };
    }
    this.#refuseBeyondMax(identity);
    const start = await this.startOf(identity, now);
    // Somebody may have come with the same id, or taken the last place, while the log was asked.
    const meanwhile = this.#records.get(identity.id);
    if (meanwhile !== undefined) return { id: identity.id, saved: undefined };
    this.#refuseBeyondMax(identity);
    return { id: identity.id, saved: this.#add(identity, start, now) };
  }

  /** Everybody counts as just seen: for a time they could not come. */
  excuseAbsence(now: Millis): void {
    for (const [id, record] of this.#records) this.#records.set(id, { ...record, lastSeen: now });
  }

  /**
   * Where an unknown scraper starts. One with an id of its own has certainly had nothing yet: a little before now, so that what
   * was posted just before its first scrape isn't lost. An address may be an old scraper's new one: at the end, lest it gets
   * twice what it had under the other; except for the first scraper of all, before which nobody can have had anything. A sink comes as soon
   * as there is something: one that is unknown was forgotten by hand, with all that waited for it.
   */
  async startOf({ identifiedBy }: Identity, now: Millis): Promise<Offset> {
    const looksBack = identifiedBy !== 'sink' && (identifiedBy !== 'address' || !this.#ever);
    if (!looksBack || this.#limits.lookbackMs === 0) return this.#tail.end;
    const start = await this.#log.offsetAt(millis(now - this.#limits.lookbackMs));
    return start < this.#tail.end ? start : this.#tail.end;
  }

  /**
   * Changes a record, and hands it to the log at once. The promise resolves when it is durable, or could not be saved: that is
   * reported, and the scraper is served all the same, for a full disk must not keep anybody from what is there. Where the log is away, though, it
   * resolves with why: what is not saved may be somebody else's to give.
   */
  async update(id: string, change: { readonly position: Position }): Promise<UnavailableError | undefined> {
    const record = this.#records.get(id);
    if (record === undefined) return undefined;
    const next = { ...record, ...change, version: record.version + 1 };
    this.#records.set(id, next);
    // What is being forgotten must not come back into the log: a later one of the same id could never be saved over it.
    const saved = this.#leaving.has(id) ? undefined : this.#save(next);
    this.#tell(id);
    return saved;
  }

  /** Changes a record back to what the log has: nothing needs to be saved. */
  revert(id: string, change: { readonly position: Position }): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.set(id, { ...record, ...change });
    this.#tell(id);
  }

  /**
   * Forgets a scraper. Tells whether there was one that nobody else was forgetting. A sink that is configured begins anew at once: what comes
   * from now on is its own. Throws an UnavailableError where the log has no room for it: the scraper then stays known.
   */
  async forget(id: string, pending: number): Promise<boolean> {
    const record = this.#records.get(id);
    if (record === undefined || this.#leaving.has(id)) return false;
    const gone = this.#log.deleteScraper(id);
    this.#leaving.set(id, gone);
    try {
      await gone;
    } finally {
      this.#leaving.delete(id);
    }
    this.#records.delete(id);
    if (record.isOneVisit !== true) this.#forgottenAt = this.#tail.end;
    this.#news.forgotten(record, pending);
    const sink = this.#sinks.get(id);
    if (sink === undefined) this.#tell(id);
    else await this.#add(sink.identity, this.#tail.end, this.#clock());
    return true;
  }

  async #add(identity: Identity, start: Offset, now: Millis): Promise<void> {
    const select = selectFrom(this.selectOf(identity.id), start);
    const record: ScraperRecord = {
      ...identity,
      firstSeen: now,
      lastSeen: now,
      ...(NO_OWN_ID.has(identity.identifiedBy) && { isOneVisit: true }),
      position: { ...positionAt(start), past: pastFrom(start) },
      ...(select !== undefined && { select }),
      version: 1,
    };
    this.#records.set(identity.id, record);
    this.#ever = true;
    this.#news.appeared(record);
    const saved = this.#save(record);
    this.#tell(record.id);
    await saved;
  }

  #tell(id: string): void {
    for (const listener of this.#changed) listener(id);
  }

  /** Resolves with why nobody may rely on it, if that is so. */
  async #save(record: ScraperRecord): Promise<UnavailableError | undefined> {
    try {
      await this.#log.saveScraper(record);
    } catch (cause) {
      if (!(cause instanceof UnavailableError)) throw cause;
      // It is told that the log is away.
      if (cause.reason === 'store_away') return cause;
      this.#news.unsaved(record, cause);
    }
    return undefined;
  }

  #refuseBeyondMax(identity: Identity): void {
    if (this.#records.size < this.#limits.max) return;
    this.#news.tooMany(identity);
    throw new UnavailableError(
      'scrapers_max',
      `there are already ${this.#limits.max} scrapers, and ${identity.id} is not one of them; raise scrapers.max, or forget unused scrapers`,
      60,
    );
  }
}

/** What a record remembers of a selection that is in force from an offset on. */
function selectFrom(select: Select | undefined, since: Offset): ScraperRecord['select'] {
  return select === undefined ? undefined : { key: select.key, since };
}
