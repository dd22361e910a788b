import type { Entry, NewEntry } from '../../../src/core/entry.ts';
import { millis } from '../../../src/core/millis.ts';
import type { Offset } from '../../../src/core/offset.ts';
import { offset, START } from '../../../src/core/offset.ts';
import { positionAt } from '../../../src/core/position.ts';
import type { SeriesText } from '../../../src/core/series.ts';
import type { NewId } from '../../../src/log/ids.ts';
import type { Log } from '../../../src/log/log.ts';
import type { ScraperRecord } from '../../../src/log/scraperRecords.ts';

/** An event that is of no interest but for what is given. */
export function anEvent(given: Partial<Omit<NewEntry, 'series'>> & { series?: string } = {}): NewEntry {
  const { series = 'deploys{env="prod"}', ...rest } = given;
  return {
    kind: 'event',
    series: series as SeriesText,
    value: 1,
    time: millis(1_700_000_000_000),
    arrived: millis(1_700_000_000_000),
    ...rest,
  };
}

/** Events of the values 1, 2, 3 …, which arrive 10 ms apart. */
export function events(count: number, first = 1): NewEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const value = first + index;
    return anEvent({ value, time: at(value * 10), arrived: at(value * 10) });
  });
}

/** Milliseconds after a moment beyond 2^31 ms. */
export function at(ms: number): ReturnType<typeof millis> {
  return millis(1_700_000_000_000 + ms);
}

/** Ids of the first of the entries that they are appended with. */
export function newIds(...ids: readonly string[]): NewId[] {
  return ids.map((id) => ({ id, at: 0, count: 1 }));
}

export function aScraper(given: Partial<ScraperRecord> = {}): ScraperRecord {
  return {
    id: 'prometheus-0',
    identifiedBy: 'header',
    address: '10.0.0.1',
    firstSeen: at(0),
    lastSeen: at(1000),
    position: positionAt(START),
    version: 1,
    ...given,
  };
}

/** What can be read of a range, at most so many entries of it. */
export async function readSome(
  log: Log,
  after: Offset,
  upTo: Offset,
  entriesMax: number,
): Promise<readonly Entry[]> {
  return (await log.read(after, upTo, { entriesMax, bytesMax: Infinity })).entries;
}

/** Everything that can be read. */
export async function readAll(log: Log): Promise<readonly Entry[]> {
  return readSome(log, START, offset(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

export function values(entries: readonly NewEntry[]): number[] {
  return entries.map((entry) => entry.value);
}

/** Whether a promise settles while others get ample turns. */
export async function settles(promise: Promise<unknown>, withinMs = 50): Promise<boolean> {
  const timer = Promise.withResolvers<boolean>();
  const handle = setTimeout(() => timer.resolve(false), withinMs);
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}
