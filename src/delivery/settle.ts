import type { Counts, DeliveryOutcome } from '../counting/counts.ts';
import type { Mode, Offer, Phase, Position } from '../core/position.ts';
import { CLOSES_AFTER_ENDS, HALVINGS_MAX, withoutMarks } from '../core/position.ts';
import type { Past } from '../core/past.ts';
import { remember } from '../core/past.ts';
import type { Ranges } from '../core/range.ts';
import { NONE, common, size, union, without } from '../core/range.ts';

/**
 * What was seen of an offer. Only the next request on the same socket proves that the response was read to its end; the rest
 * is judged by the table below.
 */
export type Evidence =
  /** The next request arrived on the socket that carried the response. */
  | 'nextRequest'
  /** The socket was reset: bytes were left unread. */
  | 'reset'
  /** The client ended the connection, and not because its scrape timed out. */
  | 'cleanEnd'
  /** The client ended the connection close to its scrape timeout: it may have given up. */
  | 'doubtfulEnd'
  /** The connection went without a word from the client: this side closed it. */
  | 'closed'
  /** The scraper came on another socket. */
  | 'elsewhere'
  /** Nothing was seen until the lease ended. */
  | 'leaseOver'
  /** The server started anew, and all sockets are gone. */
  | 'restart'
  /** A sink's receiver said that it has stored all of it. */
  | 'stored'
  /** It refused it, and will refuse it again: some of it, or all. */
  | 'refused'
  /** It refused one entry that it surely lacks: it told how many it has not stored. */
  | 'missing'
  /** It can't take it now, or no answer came. */
  | 'notNow';

/**
 * How far from its announced timeout a client may close and still be doubted: its timer and ours don't start together. A client on a
 * busy machine was seen to give up some 300 ms ahead of a timeout of one second, as this side counts.
 */
const DOUBT_SHARE = 0.1;
const DOUBT_MS_MIN = 500;

/**
 * Judges a client's end of the connection by when it came. A client that gives up closes at the timeout it announced in
 * `X-Prometheus-Scrape-Timeout-Seconds`, counted from its request, both in ms of monotonic time; one that announced none is taken at its word.
 */
export function evidenceOfEnd(
  requestedAt: number,
  endedAt: number,
  timeoutMs: number | undefined,
): 'cleanEnd' | 'doubtfulEnd' {
  if (timeoutMs === undefined) return 'cleanEnd';
  const distance = Math.abs(endedAt - requestedAt - timeoutMs);
  return distance <= Math.max(DOUBT_MS_MIN, timeoutMs * DOUBT_SHARE) ? 'doubtfulEnd' : 'cleanEnd';
}

/** What becomes of an offer. */
export type Verdict =
  /** Delivered, and proved. */
  | 'confirm'
  /** Delivered as far as can be told; a judgement, not proof. */
  | 'confirmUnproven'
  /** Not delivered: its entries are in the next offer. */
  | 'return'
  /** Perhaps delivered; judged as not. */
  | 'returnDoubtful'
  /** Perhaps delivered; offered again, since a repeated timed sample is stored once. */
  | 'again'
  /** Ended well: offered again; where the client closes after each scrape, confirmed when it ends well a second time. */
  | 'againOnce'
  /** Not delivered, and never will be: dropped. */
  | 'drop'
  /**
   * One entry alone is dropped, or judged as delivered if it may have arrived before; several are offered again, so that the sink finds by
   * smaller offers which of them it was.
   */
  | 'dropAlone'
  /** Nothing is known yet: it stays out. */
  | 'hold';

/**
 * The settling table of docs/spec/delivery.md, completed by the compiler. Facts behind it: a response cut before its end stores
 * nothing; a clean end proves little, since a client that times out sends one too, and a TCP proxy makes one of any ending; a reset
 * mostly means unread bytes, but a proxy or a packet filter may send one after everything was read; `finish` alone proves nothing.
 * So every verdict on an untimed offer that may be wrong is one that is counted: `confirmUnproven` or `returnDoubtful`.
 *
 * The last four are what sinks see, which are always timed. An offer to one is `flushed` once its receiver may have stored some of it; to note
 * when each request is out whole would be one more write for each.
 */
const TABLE: Record<Mode, Record<Phase, Record<Evidence, Verdict>>> = {
  timed: {
    sending: {
      nextRequest: 'again', // pipelined before our response was out: no proof of anything
      reset: 'return',
      cleanEnd: 'return',
      doubtfulEnd: 'return',
      closed: 'return',
      elsewhere: 'return', // and not `again`, so that the page is halved: a body too large for its network must not come whole for ever
      leaseOver: 'return',
      restart: 'again',
      stored: 'confirm',
      refused: 'dropAlone',
      missing: 'drop',
      notNow: 'again',
    },
    flushed: {
      nextRequest: 'confirm',
      reset: 'return',
      cleanEnd: 'againOnce',
      doubtfulEnd: 'return',
      closed: 'again',
      elsewhere: 'again',
      leaseOver: 'again',
      restart: 'again',
      stored: 'confirm',
      refused: 'dropAlone',
      missing: 'drop',
      notNow: 'again',
    },
  },
  untimed: {
    sending: {
      nextRequest: 'hold',
      reset: 'return',
      cleanEnd: 'return',
      doubtfulEnd: 'return',
      closed: 'return',
      elsewhere: 'hold',
      leaseOver: 'return', // and its connection is cut, so that the rest can't arrive
      restart: 'returnDoubtful', // its way into the kernel may have gone unrecorded
      stored: 'hold',
      refused: 'hold',
      missing: 'hold',
      notNow: 'hold',
    },
    flushed: {
      nextRequest: 'confirm',
      reset: 'returnDoubtful',
      cleanEnd: 'confirmUnproven',
      doubtfulEnd: 'returnDoubtful',
      closed: 'hold',
      elsewhere: 'hold',
      leaseOver: 'confirmUnproven',
      restart: 'confirmUnproven',
      stored: 'hold',
      refused: 'hold',
      missing: 'hold',
      notNow: 'hold',
    },
  },
};

export function judge(mode: Mode, phase: Phase, evidence: Evidence): Verdict {
  return TABLE[mode][phase][evidence];
}

/** Older ones are not remembered: a client that proves so late has made as many scrapes without proof in between. */
const REPEATS_MAX = 8;

/** What a settlement did, for counting: how many entries met which end. */
export interface Settlement {
  readonly position: Position;
  readonly verdict: Verdict;
  /** Entries confirmed by it. */
  readonly confirmed: number;
  /** Of these, the entries that the response covered without showing them. */
  readonly collapsed: number;
  /** Entries that are to be offered again. */
  readonly returned: number;
  /** Entries that were refused for good. */
  readonly refused: number;
}

const NOTHING = { confirmed: 0, collapsed: 0, returned: 0, refused: 0 };

/**
 * Settles an offer by what was seen of it, or leaves it out where that says nothing yet. An offer that is not out (any more)
 * changes nothing, unless late proof comes for one that was given up for offering again: evidence may come twice, or late.
 */
export function settle(position: Position, offerId: number, evidence: Evidence): Settlement {
  const offer = position.offers.find((o) => o.id === offerId);
  if (offer === undefined) return settleRepeat(position, offerId, evidence);
  const verdict = judge(offer.mode, offer.phase, evidence);
  const perhaps = mayHaveArrived(offer, evidence) ? offer.ranges : NONE;
  switch (verdict) {
    case 'hold':
      return { ...NOTHING, position, verdict };
    case 'confirm':
    case 'confirmUnproven':
      return close(proved(position, verdict), offer, verdict, offer.ranges, position.endedOnce, perhaps);
    case 'return':
    case 'returnDoubtful':
      return close(position, offer, verdict, NONE, position.endedOnce, perhaps);
    case 'again': {
      const repeats = [...position.repeats, offer].slice(-REPEATS_MAX);
      return close({ ...position, repeats }, offer, verdict, NONE, position.endedOnce, perhaps);
    }
    case 'againOnce': {
      const endsInRow = Math.min(position.endsInRow + 1, CLOSES_AFTER_ENDS);
      const believed = offer.closes === true || endsInRow === CLOSES_AFTER_ENDS;
      const secondTime = believed ? common(offer.ranges, position.endedOnce) : NONE;
      return close(
        { ...position, endsInRow },
        offer,
        verdict,
        secondTime,
        union(position.endedOnce, without(offer.ranges, secondTime)),
        perhaps,
      );
    }
    case 'drop':
    case 'dropAlone': {
      if (size(offer.ranges) > 1) return close(position, offer, verdict, NONE, position.endedOnce, perhaps);
      const doubted = verdict === 'drop' ? NONE : union(position.perhapsTimed, perhaps);
      const refused = without(offer.ranges, doubted);
      return close(position, offer, verdict, offer.ranges, position.endedOnce, NONE, refused);
    }
    default:
      return verdict satisfies never;
  }
}

/** Whether the client may have read a timed response whole. One that was cut while it was being sent stores nothing. */
function mayHaveArrived({ mode, phase }: Offer, evidence: Evidence): boolean {
  if (mode === 'untimed') return false;
  return phase === 'flushed' || ['nextRequest', 'elsewhere', 'restart'].includes(evidence);
}

/** A client that gave proof does not close after each scrape. */
function proved(position: Position, verdict: Verdict): Position {
  return verdict === 'confirm' ? { ...position, endsInRow: 0 } : position;
}

/** Late proof confirms what is not confirmed yet, wherever it is by now. */
function settleRepeat(position: Position, offerId: number, evidence: Evidence): Settlement {
  const offer = position.repeats.find((o) => o.id === offerId);
  if (offer === undefined) return { ...NOTHING, position, verdict: 'hold' };
  const repeats = position.repeats.filter((o) => o.id !== offerId);
  if (judge(offer.mode, offer.phase, evidence) !== 'confirm') {
    return { ...NOTHING, position: { ...position, repeats }, verdict: 'hold' };
  }
  const open = position.offers.reduce<Ranges>((all, { ranges }) => union(all, ranges), position.returned);
  const confirmed = common(offer.ranges, open);
  const offers = position.offers
    .map((o) => ({ ...o, ranges: without(o.ranges, confirmed) }))
    .filter((o) => o.ranges.length > 0);
  return {
    ...NOTHING,
    verdict: 'confirm',
    confirmed: size(confirmed),
    position: {
      ...position,
      offers,
      repeats,
      returned: without(position.returned, confirmed),
      ...withoutMarks(position, confirmed),
      endsInRow: 0,
    },
  };
}

function close(
  position: Position,
  offer: Offer,
  verdict: Verdict,
  confirmed: Ranges,
  endedOnce: Ranges,
  perhaps: Ranges,
  refused: Ranges = NONE,
): Settlement {
  const back = without(offer.ranges, confirmed);
  return {
    verdict,
    confirmed: size(confirmed) - size(refused),
    // Late proof may have taken entries out of the offer since they were counted.
    collapsed: Math.min(offer.collapsed, size(confirmed)),
    returned: size(back),
    refused: size(refused),
    position: {
      ...position,
      offers: position.offers.filter((o) => o.id !== offer.id),
      returned: union(position.returned, back),
      endedOnce: without(endedOnce, confirmed),
      perhapsTimed: without(union(position.perhapsTimed, perhaps), confirmed),
      halvings: nextHalvings(position.halvings, verdict, confirmed),
      ...withPast(position.past, offer, verdict, without(confirmed, refused), refused),
    },
  };
}

/** What is confirmed, proved and shown as it is needs no memory. */
function withPast(
  past: Past | undefined,
  { hidden }: Offer,
  verdict: Verdict,
  confirmed: Ranges,
  refused: Ranges,
): Pick<Position, 'past'> {
  const isProved = verdict === 'confirm';
  if (past !== undefined && refused.length > 0)
    return { past: remember(remember(past, 'refused', refused), 'unproven', confirmed) };
  if (past === undefined || confirmed.length === 0 || (isProved && hidden === undefined)) return {};
  if (hidden === 'some') return { past: remember(past, 'perhapsCollapsed', confirmed) };
  const collapsed = common(confirmed, hidden ?? NONE);
  const noted = remember(past, 'collapsed', collapsed);
  return { past: isProved ? noted : remember(noted, 'unproven', without(confirmed, collapsed)) };
}

/** A broken response halves the next page, so that no oversized body jams a scraper for ever; a delivered one grows it back. */
function nextHalvings(halvings: number, verdict: Verdict, confirmed: Ranges): number {
  if (verdict === 'return' || verdict === 'returnDoubtful') return Math.min(halvings + 1, HALVINGS_MAX);
  return size(confirmed) > 0 ? Math.max(halvings - 1, 0) : halvings;
}

const OUTCOME_OF_RETURN: Record<Verdict, DeliveryOutcome> = {
  confirm: 'returned',
  confirmUnproven: 'returned',
  return: 'returned',
  returnDoubtful: 'doubtful',
  again: 'repeated',
  againOnce: 'repeated',
  drop: 'returned',
  dropAlone: 'returned',
  hold: 'returned',
};

/** Counts what a settlement did, by entries. What only ended well, if twice, is a judgement, and no proof. */
export function countSettlement(
  counts: Counts,
  { verdict, confirmed, collapsed, returned, refused }: Settlement,
): void {
  counts.deliveries[verdict === 'confirm' ? 'confirmed' : 'unproven'] += confirmed - collapsed;
  counts.deliveries.collapsed += collapsed;
  counts.deliveries[OUTCOME_OF_RETURN[verdict]] += returned;
  counts.dropped.refused += refused;
}
