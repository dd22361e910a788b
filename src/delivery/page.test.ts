import { describe, expect, it } from 'vitest';
import type { NewEntry } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import { offset } from '../core/offset.ts';
import { range } from '../core/range.ts';
import type { SeriesText } from '../core/series.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { CHUNK_ENTRIES } from './chunk.ts';
import { Pages } from './page.ts';
import { Tail } from './tail.ts';

/** More than are read from the log at a time. */
const ENTRIES = 25_000;

class CountingLog extends MemoryLog {
  reads = 0;

  override read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
    this.reads += 1;
    return super.read(...args);
  }
}

/** Pages of a log of many entries, behind a tail of so many bytes. */
async function pagesOf(tailBytesMax: number) {
  const log = new CountingLog();
  const tail = new Tail(new Share(tailBytesMax));
  log.onCommitted((entries) => tail.push(entries));
  await log.start();
  tail.start(log.state().end);
  await log.append(
    Array.from({ length: ENTRIES }, (_, n): NewEntry => {
      const series = `m{n="${n}"}` as SeriesText;
      return { kind: 'event', series, value: n, time: millis(n), arrived: millis(n) };
    }),
  );
  const pages = new Pages(log, tail);
  return {
    log,
    read: (eventsMax: number, bytesMax = 1e9) =>
      pages.read(range(offset(0), pages.end), { eventsMax, bytesMax }),
  };
}

describe('a page', () => {
  it('from the tail has whole chunks, which others share, but for the one that it ends in', async () => {
    const { log, read } = await pagesOf(1e9);
    for (const eventsMax of [ENTRIES, ENTRIES - 1, CHUNK_ENTRIES * 30]) {
      const { stretches, ranges } = await read(eventsMax);
      const lengths = stretches.map(({ length }) => length);
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(eventsMax);
      expect(new Set(lengths.slice(0, -1))).toEqual(new Set([CHUNK_ENTRIES]));
      expect(stretches.slice(0, -1).every(({ isShared }) => isShared)).toBe(true);
      expect(ranges).toEqual(range(offset(0), offset(eventsMax)));
    }
    expect(log.reads).toBe(0);
  });

  it('from before the tail is read in parts', async () => {
    const { log, read } = await pagesOf(1);
    const { stretches, ranges } = await read(ENTRIES);
    const values = stretches.flatMap((stretch) => stretch.entries().map(({ value }) => value));
    expect(values.join()).toBe(Array.from({ length: ENTRIES }, (_, n) => n).join());
    expect(ranges).toEqual(range(offset(0), offset(ENTRIES)));
    expect(log.reads).toBe(13);
  });

  it.each([1, 1e9])(
    'is refused where a limit is no number, behind a tail of %d bytes',
    async (tailBytesMax) => {
      const { read } = await pagesOf(tailBytesMax);
      await expect(read(Number.NaN)).rejects.toThrow(RangeError);
      await expect(read(10, Number.NaN)).rejects.toThrow(RangeError);
    },
  );

  it('ends though the log comes no further', async () => {
    const { log, read } = await pagesOf(1);
    log.read = async () => ({ entries: [], upTo: offset(-0), lost: 0 });
    expect((await read(10)).stretches).toEqual([]);
    log.read = async () => ({ entries: [], upTo: -1 as Offset, lost: 0 });
    await expect(read(10)).rejects.toThrow('a page comes no further than 0');
  });
});
