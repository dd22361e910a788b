import type { Entry, EntryKind } from '../../src/core/entry.ts';
import { millis } from '../../src/core/millis.ts';
import { offset } from '../../src/core/offset.ts';
import { writeSeries } from '../../src/core/series.ts';

/** When the first entry of a golden file stands, unless it says so itself; each further one a second later. */
export const NOON = Date.UTC(2026, 0, 1, 12);

type Labels = Readonly<Record<string, string>>;
type Draft = Omit<Entry, 'offset' | 'arrived'>;

/** `event('deploys', { env: 'prod' }, 1, 12:00:05)`; without a time it gets its place's. */
export function event(metric: string, labels: Labels = {}, value = 1, time?: number): Draft {
  return draft('event', metric, labels, value, time);
}

/** The end of a pulse of that series. */
export function end(metric: string, labels: Labels = {}, time?: number): Draft {
  return draft('end', metric, labels, 0, time);
}

/** Puts drafts into a log, in order. */
export function inLog(...drafts: readonly Draft[]): Entry[] {
  return drafts.map(({ kind, series, value, time }, index) => {
    const arrived = millis(NOON + index * 1000);
    return { kind, series, value, time: Number.isNaN(time) ? arrived : time, arrived, offset: offset(index + 1) };
  });
}

function draft(kind: EntryKind, metric: string, labels: Labels, value: number, time: number | undefined): Draft {
  const series = writeSeries(
    metric,
    Object.entries(labels).map(([name, text]) => ({ name, value: text })),
  );
  return { kind, series, value, time: time === undefined ? (Number.NaN as Entry['time']) : millis(time) };
}
