import type { Entry, NewEntry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { NewId } from './ids.ts';

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
  /** Of a log over a network. */
  readonly store?: StoreState | undefined;
}

/** What is known of a store that is reached over a network. */
export interface StoreState {
  readonly isAway: boolean;
  /** As `StoreWorth` in `log.ts`. */
  readonly survives: 'process' | 'power' | 'machine';
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

/** Entries in one order, at dense offsets (`core/offset.ts`). */
export interface EntryLog {
  /** Where the log stands now. */
  state(): LogState;

  /**
   * Appends entries, in order and together: all of them or none. Resolves only once every one of them is durable, and after all
   * listeners have been told, with the offset of the first; without entries, with the offset that the next would have had. Offsets increase in
   * the order of the calls.
   *
   * `ids` are remembered with the entries: both are there after a crash, or neither is. They count as arrived with the last of the
   * entries, and never before others that were refreshed; without entries nothing is remembered. An id that is known stays as it was, so an owner asks `knownIds` before.
   */
  append(entries: readonly NewEntry[], ids?: readonly NewId[]): Promise<Offset>;

  /**
   * Tells the listener of each entry exactly once, in the order of the offsets, as soon as it is durable and before its `append`
   * resolves. Entries from before the start are not told.
   */
  onCommitted(listener: CommittedListener): void;

  /**
   * The entries beyond `after`, up to and with `upTo`, in order, as many as the limits allow. Where the log has something beyond `after`
   * that was asked for, it goes on: the next read begins at the result's `upTo`.
   */
  read(after: Offset, upTo: Offset, limits: ReadLimits): Promise<LogRead>;

  /** The offset of the last entry that arrived at `time` or before; `trimmed` when none did. */
  offsetAt(time: Millis): Promise<Offset>;

  /** Removes all entries up to and with `upTo`. Reading them afterwards finds nothing. */
  trim(upTo: Offset): Promise<void>;
}
