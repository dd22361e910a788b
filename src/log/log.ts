import { UnavailableError } from '../core/errors.ts';
import type { Offset } from '../core/offset.ts';
import type { EntryLog } from './entryLog.ts';
import type { InboxEnd } from './inbox.ts';
import type { Ids } from './ids.ts';
import type { Notes } from './notes.ts';
import type { ScraperRecords } from './scraperRecords.ts';

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

/** What commits survive: `process`, the death of the database's processes; `power`, a loss of its power; `machine`, the loss of its machine. */
export interface StoreWorth {
  readonly survives: 'process' | 'power' | 'machine';
  /** Why not more, in a few words. */
  readonly why: string;
}

/** What becomes of a store that is reached over a network. */
export type StoreNews =
  | { readonly kind: 'away'; readonly why: string }
  | { readonly kind: 'back'; readonly afterMs: number }
  /** At a start, and when it has become another. */
  | ({ readonly kind: 'worth' } & StoreWorth);

export type StoreListener = (news: StoreNews) => void;

/**
 * The log is what has all four: entries, ids, scrapers' positions, and notes. It has one owner at a time; opening one that is in use
 * elsewhere fails.
 *
 * `test/contract/log.contract.test.ts` is what every log passes.
 *
 * Constructing does no I/O. `start` opens it, and fails with a LogOpenError when it can't be opened, is in use, is damaged, or
 * was written by another version; what it can't read stays in its folder. Damage to entries alone keeps nothing from being opened or used:
 * reads pass over what can't be read. Ids, notes and the like that are damaged are made anew of what can be read of them. Disposing waits for what is under way and closes it.
 * All other methods may be called between the two.
 *
 * A log that has no room rejects with an UnavailableError (`log_full`), has then stored nothing of the call, and works again by
 * itself once there is room. A log over a network may be out of reach: then its calls, reads too, wait for a while, and reject with an
 * UnavailableError (`store_away`); nothing of them is stored. A call of which that isn't known doesn't settle before it is. Any other failure to write or to sync leaves unknown what is on disk: it is reported once through
 * `onBroken`, the call never settles, and the owner is expected to stop: what was promised can then be found by a restart only.
 */
export interface Log extends EntryLog, Ids, ScraperRecords, Notes, Partial<InboxEnd>, AsyncDisposable {
  start(): Promise<void>;

  /** Tells the listener of damage when it is first come upon, at a start too. */
  onDamage(listener: DamageListener): void;

  /** Tells the listener of each part that was damaged and is made anew, at a start too. */
  onRepair(listener: RepairListener): void;

  /** Tells the listener what becomes of the store, at a start too; of a log that is reached over a network. */
  onStore?(listener: StoreListener): void;

  /**
   * Tells the listener, at most once, that another server has the log, and `start` waits for it. Only of a log that stands by instead of
   * refusing to start; of such a one, calls reject with a LeadershipLostError once another has taken it over.
   */
  onStandby?(listener: () => void): void;

  /**
   * Whether nobody else can have the log now: by a monotonic clock, from when the last proof was asked for. Without this method it is so as long as
   * the log is open.
   */
  isOwned?(): boolean;

  /** Tells the listener, at most once, that the log can't go on: with a LogDamagedError where the reason is known to be damage. */
  onBroken(listener: (cause: Error) => void): void;

  /**
   * Writes a copy of the log, with everything that is committed by now, into a file that is not there yet, in a folder that it makes where it
   * is missing, and lets others have their turns
   * meanwhile. Resolves with false where the log keeps nothing on a disk; rejects with an UnavailableError where there is no
   * room. At most one at a time.
   */
  copyTo(file: string): Promise<boolean>;
}

/** The log can't be opened; the message says which, why, and what to do. */
export class LogOpenError extends Error {
  override readonly name = 'LogOpenError';
}

/** The log can't be written any more, since it is damaged. What was not answered is not in it. The message says which log, and what to do. */
export class LogDamagedError extends Error {
  override readonly name = 'LogDamagedError';
}

/** Another server leads now. Nothing of the call was stored, unless its outcome is unknown. */
export class LeadershipLostError extends UnavailableError {
  readonly isUnknown: boolean;

  constructor(isUnknown: boolean) {
    super(
      'store_away',
      isUnknown
        ? "another server took the lead meanwhile, so it isn't known whether this was stored; send it again with the same id"
        : 'another server has the lead now, and nothing was stored; send it again',
      1,
    );
    this.isUnknown = isUnknown;
  }
}

/** Somebody else has written to the log since: this process has lost it. */
export class OwnershipLostError extends Error {
  override readonly name = 'OwnershipLostError';
}
