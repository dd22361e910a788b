import type { Entry, NewEntry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { Position } from '../core/position.ts';

/** How a scraper's id was found: one of its own (header or parameter), its user, its pod, or merely its address. */
export type IdentifiedBy = 'header' | 'parameter' | 'user' | 'pod' | 'address';

/** What the log keeps of a scraper. */
export interface ScraperRecord {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
  /** The address of its latest request, without a port. */
  readonly address: string;
  readonly firstSeen: Millis;
  readonly lastSeen: Millis;
  /** It gave no id of its own, and has come once only: perhaps somebody who looked, and will not come again. */
  readonly isOneVisit?: true;
  readonly position: Position;
  /** Raised by one at every save; 1 at the first. */
  readonly version: number;
}

/** What stands in the log. */
export interface LogState {
  /** Entries up to this one are gone; the first that is there lies beyond it. */
  readonly trimmed: Offset;
  /** The last entry's offset, or `trimmed` when there is none. */
  readonly end: Offset;
  readonly entries: number;
  /** What it occupies, in bytes; an estimate that may lag. */
  readonly bytes: number;
  /** Ids that are remembered. They are not in `bytes`. */
  readonly ids: number;
  /** The latest `arrived` of any entry there ever was; 0 when there was none. */
  readonly lastArrived: Millis;
  /** Whether a scraper was ever saved. */
  readonly hadScrapers: boolean;
}

/** How much one read gives at most. */
export interface ReadLimits {
  /** 1 or more. */
  readonly entriesMax: number;
  /**
   * Of what the entries take in memory (`unitBytes` for each unit of their series, and `ENTRY_BYTES`): the read ends with the entry that
   * takes it to this, or beyond. So the first entry is always given.
   */
  readonly bytesMax: number;
}

/** What a read gave. */
export interface LogRead {
  /** In order. */
  readonly entries: readonly Entry[];
  /**
   * How far it went: all entries beyond `after`, up to and with this one, are in `entries`, or are gone. It is `after` or less than was
   * asked for only where the log ends there, or a limit was reached.
   */
  readonly upTo: Offset;
  /** How many entries of what it went through can't be read any more, since the log is damaged. Trimmed ones don't count. */
  readonly lost: number;
}

/** Reports entries that have become durable. */
export type CommittedListener = (entries: readonly Entry[]) => void;

/** Entries beyond `after`, up to and with `upTo`, that can't be read any more. */
export interface Damage {
  readonly after: Offset;
  readonly upTo: Offset;
  /** In a few words. */
  readonly why: string;
}

export type DamageListener = (damage: Damage) => void;

/** A part of the log beside its entries; `file` is all of it. */
export type Part = 'ids' | 'counters' | 'scrapers' | 'meta' | 'file';

/** A part was damaged, and was made anew of what could be read of it. */
export interface Repair {
  readonly part: Part;
  /** What of it is lost: ids, or notes; at least so many. */
  readonly lost: number;
  /** Where the damaged file is, if all of it was made anew. */
  readonly kept?: string;
}

export type RepairListener = (repair: Repair) => void;

/**
 * The log: entries in one order, and each scraper's position in it. It has one owner at a time; opening one that is in use
 * elsewhere fails.
 *
 * Constructing does no I/O. `start` opens it, and fails with a LogOpenError when it can't be opened, is in use, is damaged, or
 * was written by a newer version; what it can't read stays in its folder. Damage to entries alone keeps nothing from being opened or used:
 * reads pass over what can't be read. Ids, notes and the like that are damaged are made anew of what can be read of them. Disposing waits for what is under way and closes it.
 * All other methods may be called between the two.
 *
 * A log that has no room rejects with an UnavailableError (`log_full`), has then stored nothing of the call, and works again by
 * itself once there is room. Any other failure to write or to sync leaves unknown what is on disk: it is reported once through
 * `onBroken`, the call never settles, and the owner is expected to stop: what was promised can then be found by a restart only.
 */
export interface Log extends AsyncDisposable {
  start(): Promise<void>;

  /** Where the log stands now. */
  state(): LogState;

  /**
   * Appends entries, in order and together: all of them or none. Resolves only once every one of them is durable, and after all
   * listeners have been told. Offsets increase in the order of the calls.
   *
   * `ids` are remembered with the entries: both are there after a crash, or neither is. They count as arrived with the last of the
   * entries, and never before others that were refreshed; without entries nothing is remembered. An id that is known stays as it was, so an owner asks `knownIds` before.
   */
  append(entries: readonly NewEntry[], ids?: readonly string[]): Promise<void>;

  /** Those of the ids that are remembered. An id is known at the latest when its `append` resolves, and until it is forgotten. */
  knownIds(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /**
   * Counts those of the ids that are known, and arrived before a moment, as arrived now: they are forgotten so much later. Resolves once that
   * is durable.
   */
  refreshIds(ids: readonly string[], arrivedBefore: Millis, now: Millis): Promise<void>;

  /**
   * Forgets the ids that arrived before a moment, and of the others the oldest, until no more than `idsMax` are left. Resolves with
   * how many of those others were forgotten.
   */
  forgetIds(arrivedBefore: Millis, idsMax: number): Promise<number>;

  /**
   * Tells the listener of each entry exactly once, in the order of the offsets, as soon as it is durable and before its `append`
   * resolves. Entries from before the start are not told.
   */
  onCommitted(listener: CommittedListener): void;

  /** Tells the listener of damage when it is first come upon, at a start too. */
  onDamage(listener: DamageListener): void;

  /** Tells the listener of each part that was damaged and is made anew, at a start too. */
  onRepair(listener: RepairListener): void;

  /** Tells the listener, at most once, that the log can't go on: with a LogDamagedError where the reason is known to be damage. */
  onBroken(listener: (cause: Error) => void): void;

  /**
   * The entries beyond `after`, up to and with `upTo`, in order, as many as the limits allow. Where the log has something beyond `after`
   * that was asked for, it goes on: the next read begins at the result's `upTo`.
   */
  read(after: Offset, upTo: Offset, limits: ReadLimits): Promise<LogRead>;

  /** The offset of the last entry that arrived at `time` or before; `trimmed` when none did. */
  offsetAt(time: Millis): Promise<Offset>;

  /** Every scraper that was saved and not deleted. */
  loadScrapers(): Promise<readonly ScraperRecord[]>;

  /**
   * Saves a scraper, whose saved version must be lower than the record's, or absent: else rejects with a VersionConflictError. (Lower, not
   * lower by one: a save that found no room leaves a gap.) When the call returns, the record survives the death of this process (as far as a log can do that without
   * waiting); when the promise resolves, it is durable.
   */
  saveScraper(record: ScraperRecord): Promise<void>;

  /** Forgets a scraper. Unknown ids are fine. */
  deleteScraper(id: string): Promise<void>;

  /** The note that was last saved under a key; undefined where there is none. Rejects with a NoteLostError where there may have been one. */
  loadNote(key: string): Promise<string | undefined>;

  /**
   * Saves a short text under a key, in place of the one before. Like a scraper's record it survives the death of this process when
   * the call returns, and is durable when the promise resolves.
   */
  saveNote(key: string, text: string): Promise<void>;

  /**
   * Writes a copy of the log, with everything that is committed by now, into a file that is not there yet, in a folder that it makes where it
   * is missing, and lets others have their turns
   * meanwhile. Resolves with false where the log keeps nothing on a disk; rejects with an UnavailableError where there is no
   * room. At most one at a time.
   */
  copyTo(file: string): Promise<boolean>;

  /** Removes all entries up to and with `upTo`. Reading them afterwards finds nothing. */
  trim(upTo: Offset): Promise<void>;
}

/** The log can't be opened; the message says which, why, and what to do. */
export class LogOpenError extends Error {
  override readonly name = 'LogOpenError';
}

/** The log can't be written any more, since it is damaged. What was not answered is not in it. The message says which log, and what to do. */
export class LogDamagedError extends Error {
  override readonly name = 'LogDamagedError';
}

/** A note can't be read any more. */
export class NoteLostError extends Error {
  override readonly name = 'NoteLostError';
}

/** Somebody else saved this scraper in between. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError';
}
