import type { Offset } from './offset.ts';

/** The offsets beyond `after`, up to and with `upTo`. Never empty. */
export interface Range {
  readonly after: Offset;
  readonly upTo: Offset;
}

/** Ranges in order, without overlap; neighbours are joined. Only the functions of this file make them. */
export type Ranges = readonly Range[];

export const NONE: Ranges = [];

/** One range, or none where it would be empty. */
export function range(after: Offset, upTo: Offset): Ranges {
  return after < upTo ? [{ after, upTo }] : NONE;
}

/** The range of so many offsets, one or more, from the first on. */
export function rangeFrom(first: Offset, count: number): Ranges {
  return [{ after: (first - 1) as Offset, upTo: (first + count - 1) as Offset }];
}

/** The ranges that hold just these offsets, which stand in order. */
export function ofOffsets(offsets: readonly Offset[]): Ranges {
  const ranges: { after: Offset; upTo: Offset }[] = [];
  for (const at of offsets) {
    const last = ranges.at(-1);
    if (last?.upTo === at - 1) last.upTo = at;
    else ranges.push({ after: (at - 1) as Offset, upTo: at });
  }
  return ranges;
}

/** How many offsets there are. */
export function size(ranges: Ranges): number {
  let sum = 0;
  for (const { after, upTo } of ranges) sum += upTo - after;
  return sum;
}

export function union(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const joined: { after: Offset; upTo: Offset }[] = [];
  for (const next of [...a, ...b].toSorted((x, y) => x.after - y.after)) {
    const last = joined.at(-1);
    if (last === undefined || next.after > last.upTo) joined.push({ ...next });
    else if (next.upTo > last.upTo) last.upTo = next.upTo;
  }
  return joined;
}

/** What is in `a` and not in `b`. Takes time in proportion to both: there may be as many as entries. */
export function without(a: Ranges, b: Ranges): Ranges {
  if (b.length === 0) return a;
  const rest: Range[] = [];
  let at = 0;
  for (const { after, upTo } of a) {
    let from = after;
    at = firstBeyond(b, at, from);
    for (let hole = b[at], next = at; hole !== undefined && hole.after < upTo; hole = b[(next += 1)]) {
      if (hole.after > from) rest.push({ after: from, upTo: hole.after });
      from = hole.upTo;
    }
    if (from < upTo) rest.push({ after: from, upTo });
  }
  return rest;
}

/** What is in both. Takes time as `without` does. */
export function common(a: Ranges, b: Ranges): Ranges {
  const both: Range[] = [];
  let at = 0;
  for (const { after, upTo } of a) {
    at = firstBeyond(b, at, after);
    for (let other = b[at], next = at; other !== undefined && other.after < upTo; other = b[(next += 1)])
      both.push({
        after: other.after > after ? other.after : after,
        upTo: other.upTo < upTo ? other.upTo : upTo,
      });
  }
  return both;
}

/** The index of the first range, from one on, that ends beyond an offset. */
function firstBeyond(ranges: Ranges, from: number, offset: Offset): number {
  let at = from;
  while ((ranges[at]?.upTo ?? Infinity) <= offset) at += 1;
  return at;
}
