import { describe, expect, it } from 'vitest';
import type { Entry } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { Feed } from './feed.ts';
import { Pages } from './page.ts';
import { Tail } from './tail.ts';

const BYTES_MAX = 1_000_000;

/** A feed of a log that holds so many events. */
async function feedOf(events: number) {
  const log = new MemoryLog();
  const tail = new Tail(new Share(10_000));
  log.onCommitted((entries: readonly Entry[]) => tail.push(entries));
  await log.start();
  tail.start(log.state().end);
  for (let n = 1; n <= events; n += 1) {
    const series = `m{n="${n}"}` as SeriesText;
    await log.append([{ kind: 'event', series, value: n, time: millis(n), arrived: millis(n) }]);
  }
  return { log, feed: new Feed(log, new Pages(log, tail)) };
}

describe('the feed', () => {
  it('tells how many entries went from the log before they were asked for', async () => {
    const { log, feed } = await feedOf(10);
    await log.trim(offset(6));
    expect(await feed.read(offset(2), 100, BYTES_MAX)).toMatchObject({ gone: 4, next: 10, end: 10 });
    expect((await feed.read(offset(2), 100, BYTES_MAX)).events.map(({ value }) => value)).toEqual([
      7, 8, 9, 10,
    ]);
    expect(await feed.read(undefined, 100, BYTES_MAX)).toMatchObject({ gone: 0, next: 10 });
    expect(await feed.read(offset(8), 100, BYTES_MAX)).toMatchObject({ gone: 0, next: 10 });
  });

  it('is bounded by bytes as well: it goes on where the page ended', async () => {
    const { feed } = await feedOf(10);
    const page = await feed.read(offset(0), 100, 100);
    expect(page.events.length).toBeGreaterThan(0);
    expect(page.events.length).toBeLessThan(10);
    expect(page.next).toBe(page.events.at(-1)?.offset);
    expect(page.end).toBe(10);
  });
});
