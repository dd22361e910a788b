import { beforeAll, describe, expect, it } from 'vitest';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import { writeSeries } from '../core/series.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { AheadMark } from './aheadMark.ts';
import { readRemembered } from './remembered.ts';
import { trackBytes } from './track.ts';
import { turnsDuring } from '../../test/support/eventLoop.ts';
import { Harness } from '../../test/support/harness.ts';

const MINUTE = 60_000;
/** More than are remembered by themselves. */
const ENTRIES = 50_100;

describe('after a restart of a busy server', () => {
  let harness: Harness;
  let start: Millis;

  /** The time that an event gets now. */
  async function timeOf(n: string, sent?: Millis): Promise<Millis | undefined> {
    await harness.post(n, 1, sent);
    const { entries, offerId } = await harness.scrape('a', 'timed');
    harness.scrapes.flushed('a', offerId ?? 0);
    harness.scrapes.observe('a', offerId ?? 0, 'nextRequest');
    return entries.findLast(({ series, kind }) => series.includes(`"${n}"`) && kind === 'event')?.time;
  }

  beforeAll(async () => {
    harness = new Harness(new MemoryLog(), { eventsMax: 200_000, backlogMax: 200_000 });
    start = harness.now;
    await harness.log.start();
    await harness.start();
    await harness.post('early');
    await harness.post('ahead', 1, millis(start + 4 * MINUTE));
    harness.now = millis(start + 1_000);
    for (let n = 0; n < ENTRIES; n += 1) await harness.post(String(n));
    harness.now = millis(start + 2_000);
    await harness.start();
  });

  it('G8: an event of a new series has the time of its arrival', async () => {
    expect(await timeOf('new')).toBe(harness.now);
  });

  it('G8: a series that is not remembered gets no time that it may have had already', async () => {
    expect(await timeOf('early', millis(start - MINUTE))).toBeGreaterThan(start);
  });

  it('G8: one whose sender was ahead is still above its own time', async () => {
    expect(await timeOf('ahead')).toBe(start + 4 * MINUTE + 1);
  });
});

it('G8: a series whose entries are gone from the log gets no time that it may have had already', async () => {
  const harness = new Harness(new MemoryLog(), { retentionMinMs: 0 });
  await harness.log.start();
  await harness.start();
  const posted = harness.now;
  await harness.post('1');
  await harness.delivered('a', 'timed');
  await harness.pass(1_000);
  expect(harness.log.state().entries).toBe(0);
  await harness.start();
  await harness.post('1', 1, millis(posted - MINUTE));
  expect((await harness.scrape('a', 'timed')).entries[0]?.time).toBeGreaterThan(posted);
});

describe('a start remembers no more than fits into its memory', () => {
  const wide = (n: number) => writeSeries('e', [{ name: 'n', value: `${'я'.repeat(2_000)}${n}` }]);
  const COST = trackBytes(wide(100));
  const NOW = 1_700_000_000_000;

  /** A log of large events, one a second, of which the first are ahead as far as may be. */
  async function aLog(ahead: number): Promise<MemoryLog> {
    const log = new MemoryLog();
    await log.start();
    for (let n = 100; n < 400; n += 1) {
      const arrived = millis(NOW + n * 1_000);
      const time = millis(n < 100 + ahead ? arrived + 299_000 + n : arrived);
      await log.append([{ kind: 'event', series: wide(n), value: 1, time, arrived }]);
    }
    return log;
  }
  const limits = { entriesMax: 50_000, bytesMax: 20 * COST };

  it('of whatever size its entries are', async () => {
    const log = await aLog(0);
    const { entries, floor } = await readRemembered(log, new AheadMark(log), limits, 300_000);
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.length).toBeLessThanOrEqual(20);
    expect(entries.at(-1)?.offset).toBe(300);
    expect(floor).toBe(entries[0]?.arrived);
  });

  it('G8: nor of those that are ahead; new series stand above what is left out', async () => {
    const log = await aLog(60);
    const { entries, floor } = await readRemembered(log, new AheadMark(log), limits, 300_000);
    expect(entries.length).toBeLessThanOrEqual(40);
    const known = new Set(entries.map((entry) => entry.offset));
    const { entries: all } = await log.read(START, offset(300), { entriesMax: 1_000, bytesMax: 1e9 });
    const latest = all.filter((entry) => !known.has(entry.offset)).map(({ time }) => time);
    expect(floor).toBeGreaterThanOrEqual(Math.max(...latest));
  });
});

it('a start that reads a long log lets health checks be answered meanwhile', async () => {
  const log = new MemoryLog();
  await log.start();
  const series = writeSeries('e', []);
  const entry = { kind: 'event', series, value: 1, time: millis(1), arrived: millis(1) } as const;
  await log.append(Array.from({ length: 35_000 }, () => entry));
  const mark = new AheadMark(log);
  // 5 windows of the newest, and 3 parts of those that arrived shortly before.
  const read = () => readRemembered(log, mark, { entriesMax: 5_000, bytesMax: 1 << 30 }, MINUTE);
  expect(await turnsDuring(read)).toBeGreaterThanOrEqual(8);
});
