import type { NewEntry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';

/** An event that is to be ordered. */
export interface InboxEvent {
  readonly series: SeriesText;
  readonly value: number;
  /** The time that it was sent with, or else that of its arrival. */
  readonly time: Millis;
  readonly id: string | undefined;
}

/** Events that are put together: all or none, but for those whose id is known. */
export interface InboxPost {
  readonly events: readonly InboxEvent[];
  /** Stands for all of them: where it is known, nothing is put. No event of a post has the id of another. */
  readonly requestId: string | undefined;
  /** When it came. */
  readonly arrived: Millis;
}

/** What became of a post. */
export interface Put {
  readonly isKnownRequest: boolean;
  /** Those of the events' ids that were known. */
  readonly known: ReadonlySet<string>;
}

/**
 * Where servers that share a log put events, for the leader to order. Ids are known as soon as they are put, to all of them: of two posts of one id, at
 * two servers at the same moment, one finds it known.
 */
export interface Inbox extends AsyncDisposable {
  /**
   * Resolves once the events are durable. Rejects with an UnavailableError where nothing was stored: the database is away for too long, or too much waits
   * for it. A post of which that isn't known doesn't settle before it is.
   */
  put(post: InboxPost): Promise<Put>;

  /** Asks the leader to count ids as arrived now; as `put`. */
  refresh(ids: readonly string[], arrived: Millis): Promise<void>;
}

/** An event in the inbox, and what its id is remembered by. */
export interface WaitingEvent {
  readonly series: SeriesText;
  readonly value: number;
  readonly time: Millis;
  readonly hash: string | undefined;
}

/** A post in the inbox, with those of its events that are to be stored. */
export interface WaitingPost {
  readonly key: number;
  readonly events: readonly WaitingEvent[];
  /** What its id is remembered by. */
  readonly request: string | undefined;
  /** Ids to be refreshed. */
  readonly refresh: readonly string[];
}

/** An id by what it is remembered by, and which of the entries it stands for; without `at`, of none. */
export interface MovedId {
  readonly hash: string;
  readonly at: number | undefined;
  readonly count: number;
}

/** The end of the inbox that the leader has. */
export interface InboxEnd {
  /** The oldest posts, as many as can be moved at once. */
  readInbox(): Promise<readonly WaitingPost[]>;

  /** Takes posts away, and appends what was made of them: both, or neither. As `EntryLog.append`. */
  move(keys: readonly number[], entries: readonly NewEntry[], ids: readonly MovedId[]): Promise<Offset>;
}
