import type { Offset } from './offset.ts';
import type { Millis } from './millis.ts';
import type { GivenUp, Past } from './past.ts';
import { remember } from './past.ts';
import type { Ranges } from './range.ts';
import { NONE, common, range, size, union, without } from './range.ts';

/** Whether samples carry the event's own time (and may be repeated at no cost), or get the scrape's (and may not). */
export type Mode = 'timed' | 'untimed';

/** How far the response of an offer got: into the socket in part, or whole. */
export type Phase = 'sending' | 'flushed';

/** A client may announce a scrape timeout of a day at most, in ms: no scrape takes longer, and a larger number is no timeout. */
export const TIMEOUT_MS_MAX = 86_400_000;

/** Events that a scrape covers without showing them: where they are, or that there are some. */
export type Hidden = Ranges | 'some';

/** The entries handed out in one response, until evidence settles it. */
export interface Offer {
  /** Unique within the life of a server. */
  readonly id: number;
  readonly mode: Mode;
  readonly phase: Phase;
  readonly ranges: Ranges;
  /** Entries that it covers without showing them: a later one of their series is in it. */
  readonly collapsed: number;
  /** Which these are, if there are any. */
  readonly hidden?: Hidden;
  /** When its request arrived. */
  readonly requestedAt: number;
  /** The scrape timeout that the client announced, in ms. */
  readonly timeoutMs?: number;
  /** Whether the client announced that it closes the connection after this response, so that no proof can ever come. */
  readonly closes?: true;
}

/**
 * Entries that were too old when they were first offered: Prometheus drops what is more than an hour behind its newest sample. They are
 * shown later, one millisecond apart in the order of the log, the first at `floor`; so whichever page an entry comes in, and however
 * often, its time is the same, and the times of a series still increase.
 */
export interface MovedRange {
  readonly after: Offset;
  readonly upTo: Offset;
  readonly floor: Millis;
}

/** A page is never halved below one event: 2^20 exceeds every sensible page. */
export const HALVINGS_MAX = 20;

/**
 * A client of which so many responses in a row ended well without a further request closes after each scrape, as does a proxy in
 * between whose idle timeout is shorter than the interval. Fewer may be a proxy that cuts responses, and ends its side well: that was
 * measured to lose 60 % of the events where two ends were enough (docs/decisions/0014-who-closes-after-each-scrape.md).
 */
export const CLOSES_AFTER_ENDS = 32;

/**
 * A scraper's place in the log. Every offset up to `head` is confirmed, or dropped, or in exactly one of `returned` and the
 * offers that are out; everything beyond `head` has never been offered.
 */
export interface Position {
  readonly head: Offset;
  readonly returned: Ranges;
  readonly offers: readonly Offer[];
  /** Timed entries whose response ended well once, without proof; part of `returned` or of an offer. */
  readonly endedOnce: Ranges;
  /**
   * Entries that a timed response may have brought, of which no proof came; part of `returned` or of an offer. To show them untimed gives
   * them another time: they may be stored twice.
   */
  readonly perhapsTimed: Ranges;
  /** How many timed responses in a row ended well without proof; counted up to `CLOSES_AFTER_ENDS`. */
  readonly endsInRow: number;
  /**
   * Timed offers that were given up for offering their entries again, newest last: proof that comes late is proof all the same. Where two
   * jobs share an id, each always comes while the other's offer is out, and without these neither would ever confirm anything.
   */
  readonly repeats: readonly Offer[];
  /** Timed entries that are shown later than they were, since Prometheus would have dropped them as too old. In order. */
  readonly moved: readonly MovedRange[];
  /** How often the size of a page is halved; up to `HALVINGS_MAX`. */
  readonly halvings: number;
  /** How entries were settled; nothing is remembered where it is undefined. */
  readonly past?: Past;
}

/** The place of a scraper that has nothing behind it. */
export function positionAt(head: Offset): Position {
  return {
    head,
    returned: NONE,
    offers: [],
    endedOnce: NONE,
    perhapsTimed: NONE,
    endsInRow: 0,
    repeats: [],
    moved: [],
    halvings: 0,
  };
}

/** The offset up to which everything is settled: the scraper's cursor. */
export function cursorOf(position: Position): Offset {
  let cursor = position.head;
  for (const { after } of position.returned) if (after < cursor) cursor = after;
  for (const offer of position.offers)
    for (const { after } of offer.ranges) if (after < cursor) cursor = after;
  return cursor;
}

/** What the next offer may take of a log that ends at `end`: what came back, then what is new. */
export function available(position: Position, end: Offset): Ranges {
  return union(position.returned, range(position.head, end));
}

/** How many entries the scraper has yet to confirm, those that are out among them. */
export function pendingCount(position: Position, end: Offset): number {
  return size(available(position, end)) + inFlightCount(position);
}

/** How many entries are out in responses that are not settled. */
export function inFlightCount({ offers }: Position): number {
  let sum = 0;
  for (const { ranges } of offers) sum += size(ranges);
  return sum;
}

/**
 * Gives up everything up to `floor` that is not out in an offer. Returns the same position where there is nothing to give up.
 */
export function dropThrough(
  position: Position,
  floor: Offset,
  why: GivenUp,
): { position: Position; dropped: number } {
  const gone = range(0 as Offset, floor);
  const returned = without(position.returned, gone);
  const unread = Math.max(0, floor - position.head);
  const dropped = unread + size(position.returned) - size(returned);
  if (dropped === 0) return { position, dropped };
  const head = unread > 0 ? floor : position.head;
  const lost = union(range(position.head, floor), common(position.returned, gone));
  const rest = { ...position, head, returned, ...withoutMarks(position, gone) };
  return { position: withPast(rest, why, lost), dropped };
}

/**
 * Gives up what is in `gone` and is not out in an offer, where it stands; what lies before it stays to be fetched. Returns the same position
 * where there is nothing to give up.
 */
export function dropRanges(position: Position, gone: Ranges): { position: Position; dropped: number } {
  const end = gone.at(-1)?.upTo ?? position.head;
  const lost = common(gone, available(position, end));
  const dropped = size(lost);
  if (dropped === 0) return { position, dropped };
  return { position: withPast(passOver(position, gone), 'damaged', lost), dropped };
}

/**
 * Settles what is in `gone` and not out in an offer, where it stands, since the scraper is not to get it. What lies before it stays to be
 * fetched.
 */
export function passOver(position: Position, gone: Ranges): Position {
  const end = gone.at(-1)?.upTo ?? position.head;
  const head = end > position.head ? end : position.head;
  const returned = without(available(position, head), gone);
  return { ...position, head, returned, ...withoutMarks(position, gone) };
}

function withPast(position: Position, why: GivenUp, lost: Ranges): Position {
  const { past } = position;
  return past === undefined ? position : { ...position, past: remember(past, why, lost) };
}

/** What is remembered of entries, without some that are given up or confirmed. */
export function withoutMarks(
  { endedOnce, perhapsTimed }: Position,
  gone: Ranges,
): Pick<Position, 'endedOnce' | 'perhapsTimed'> {
  return { endedOnce: without(endedOnce, gone), perhapsTimed: without(perhapsTimed, gone) };
}
