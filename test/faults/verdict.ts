import type { StoredSeries } from '../support/tsdb.ts';
import type { Seen } from './witness.ts';

/** What happened to the events. */
export interface Verdict {
  readonly lost: readonly number[];
  /** Stored more than once, and when. */
  readonly twice: readonly { readonly n: number; readonly at: readonly number[] }[];
  /** Stored, but not as they were accepted: another time, another series, an end that is missing or stands elsewhere. */
  readonly wrong: readonly string[];
}

/** Every accepted event is one sample, whatever its time: its number is the label of a series of its own, or the value. */
export function judgeUntimed(
  accepted: ReadonlyMap<number, number>,
  stored: readonly StoredSeries[],
): Verdict {
  const times = new Map<number, number[]>();
  for (const { labels, samples } of stored)
    for (const { at, value } of samples) {
      const n = labels['n'] === undefined ? value : Number(labels['n']);
      times.set(n, [...(times.get(n) ?? []), at]);
    }
  return { ...lostAndTwice(accepted, times), wrong: [] };
}

/** Every accepted event is one sample, whose value is its number, at the time and in the series that the witness saw. */
export function judgeTimed(
  accepted: ReadonlyMap<number, number>,
  stored: readonly StoredSeries[],
  seen: ReadonlyMap<number, Seen>,
  pulseMs: number | undefined,
): Verdict {
  const times = new Map<number, number[]>();
  const wrong: string[] = [];
  const labelsOf = new Map<string, string>();
  for (const { labels, samples } of stored) {
    const series = labels['s'] ?? '';
    const [before, now] = [labelsOf.get(series), JSON.stringify(labels)];
    if (before !== undefined) wrong.push(`s=${series} is two series: ${before} and ${now}`);
    labelsOf.set(series, now);
    for (const { at, value } of samples) {
      times.set(value, [...(times.get(value) ?? []), at]);
      const witnessed = seen.get(value);
      if (witnessed?.time !== at || witnessed.series !== series)
        wrong.push(
          `event ${value} stands at ${at} in s=${series}, and the witness saw ${JSON.stringify(witnessed)}`,
        );
    }
  }
  for (const n of accepted.keys()) if (!seen.has(n)) wrong.push(`event ${n} never came to the witness`);
  if (pulseMs !== undefined) wrong.push(...wrongEnds(stored, seen, pulseMs));
  return { ...lostAndTwice(accepted, times), wrong };
}

function lostAndTwice(accepted: ReadonlyMap<number, number>, times: ReadonlyMap<number, readonly number[]>) {
  return {
    lost: [...accepted.keys()].filter((n) => !times.has(n)),
    twice: [...times]
      .filter(([, at]) => at.length > 1)
      .map(([n, at]) => ({ n, at: at.toSorted((a, b) => a - b) })),
  };
}

/** A pulse ends at T + width, unless the next event of its series came by then. */
function wrongEnds(
  stored: readonly StoredSeries[],
  seen: ReadonlyMap<number, Seen>,
  pulseMs: number,
): string[] {
  const wrong: string[] = [];
  const expected = new Map<string, number[]>();
  for (const { series, time } of seen.values()) expected.set(series, [...(expected.get(series) ?? []), time]);
  for (const [series, times] of expected) {
    times.sort((a, b) => a - b);
    const due = new Set(
      times.filter((time, i) => (times[i + 1] ?? Infinity) > time + pulseMs).map((t) => t + pulseMs),
    );
    const found = new Set(
      stored.filter(({ labels }) => labels['s'] === series).flatMap(({ endsAt }) => endsAt),
    );
    for (const at of due.difference(found)) wrong.push(`a pulse of s=${series} does not end at ${at}`);
    for (const at of found.difference(due)) wrong.push(`a pulse of s=${series} ends at ${at}`);
  }
  return wrong;
}
