import type { Offset } from './offset.ts';
import type { Ranges } from './range.ts';
import { NONE, union } from './range.ts';

/** Why a scraper never gets an entry. */
export type GivenUp = 'backlog_full' | 'log_full' | 'damaged' | 'refused';

/** How entries were settled otherwise than by proof that they were delivered as they are. */
export type Way =
  /** Delivered as far as can be told; there is no proof. */
  | 'unproven'
  /** By a scrape that showed one sample for several events of a series, and not their own. */
  | 'collapsed'
  /** By a scrape that did so of some of them; of which, is not remembered. */
  | 'perhapsCollapsed'
  | GivenUp;

/**
 * How entries were settled, as far as a position remembers it. Where all is proved, nothing has to be remembered: what lies beyond `known`
 * and in no way was proved to be delivered.
 */
export interface Past {
  /** What lies up to here was never the scraper's to get; undefined where an older version saw it begin. */
  readonly start?: Offset;
  /** Of what lies up to here, and in no way, it isn't known how it was settled. */
  readonly known: Offset;
  readonly ways: Readonly<Partial<Record<Way, Ranges>>>;
}

/** Ranges that a position remembers; the newest are kept. It is written at each change. */
export const PAST_RANGES_MAX = 32;

/** The past of a scraper that begins here. */
export function pastFrom(start: Offset): Past {
  return { start, known: start, ways: {} };
}

/** The past of a position that has none, since an older version wrote it. */
export function unknownPast(head: Offset): Past {
  return { known: head, ways: {} };
}

/** The past of a position of which it is no longer known how it settled what lies up to an offset, and is in no way. */
export function unknownThrough(past: Past | undefined, head: Offset): Past {
  return past === undefined || past.known < head ? { ways: {}, ...past, known: head } : past;
}

/** Remembers how ranges were settled. What is too much is forgotten from the oldest on, and everything before it with it. */
export function remember(past: Past, way: Way, ranges: Ranges): Past {
  if (ranges.length === 0) return past;
  const ways: Partial<Record<Way, Ranges>> = { ...past.ways, [way]: union(past.ways[way] ?? NONE, ranges) };
  let { known } = past;
  for (let excess = countOf(ways) - PAST_RANGES_MAX; excess > 0; excess -= 1) {
    const upTo = forgetOldest(ways);
    if (upTo > known) known = upTo;
  }
  return { ...past, known, ways };
}

function countOf(ways: Past['ways']): number {
  return Object.values(ways).reduce((sum, ranges) => sum + ranges.length, 0);
}

/** Takes the oldest range out; returns its end. */
function forgetOldest(ways: Partial<Record<Way, Ranges>>): Offset {
  let oldest: [way: Way, ranges: Ranges] | undefined;
  for (const each of Object.entries(ways) as [Way, Ranges][])
    if (oldest === undefined || endOfFirst(each[1]) < endOfFirst(oldest[1])) oldest = each;
  const [way, ranges] = oldest as [Way, Ranges];
  const rest = ranges.slice(1);
  if (rest.length === 0) delete ways[way];
  else ways[way] = rest;
  return endOfFirst(ranges);
}

function endOfFirst(ranges: Ranges): Offset {
  return ranges[0]?.upTo ?? (Infinity as Offset);
}
