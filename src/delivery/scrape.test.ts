import { describe, expect, it } from 'vitest';
import type { Evidence } from './settle.ts';
import type { Entry } from '../core/entry.ts';
import { UnavailableError } from '../core/errors.ts';
import { millis } from '../core/millis.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { readAll } from '../../test/contract/support/builders.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { Harness, numberOf } from '../../test/support/harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function started(limits: Partial<HarnessLimits> = {}, log = new MemoryLog()): Promise<Harness> {
  const harness = new Harness(log, limits);
  await log.start();
  await harness.start();
  return harness;
}

const numbers = (entries: readonly Entry[]) => entries.map(numberOf);
const values = (entries: readonly Entry[]) => entries.map(({ value }) => value);

/** A scrape that went out whole, of which nothing is known yet. */
async function flushed(harness: Harness, id: string, mode: 'timed' | 'untimed') {
  const { entries, offerId } = await harness.scrape(id, mode);
  if (offerId !== undefined) harness.scrapes.flushed(id, offerId);
  return { entries, offerId: offerId ?? 0 };
}

describe('late proof', () => {
  it('confirms timed entries that were offered again in the meantime', async () => {
    const harness = await started();
    await harness.delivered('a', 'timed');
    await harness.post('1');
    const first = await flushed(harness, 'a', 'timed');
    const second = await flushed(harness, 'a', 'timed');
    expect(numbers(second.entries)).toEqual(['1']);
    harness.scrapes.observe('a', first.offerId, 'nextRequest');
    expect(harness.counts.deliveries.confirmed).toBe(1);
    expect(numbers((await flushed(harness, 'a', 'timed')).entries)).toEqual([]);
    harness.scrapes.observe('a', second.offerId, 'nextRequest');
    expect(harness.counts.deliveries.confirmed).toBe(1);
  });

  it('lets two jobs under one id go on, though each comes while the offer of the other is out', async () => {
    const harness = await started({ eventsMax: 2 });
    await harness.delivered('a', 'timed');
    for (let n = 1; n <= 10; n += 1) await harness.post(String(n));
    const got = new Set<string>();
    const last: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const before = last[round % 2];
      if (before !== undefined) harness.scrapes.observe('a', before, 'nextRequest');
      const { entries, offerId } = await flushed(harness, 'a', 'timed');
      for (const n of numbers(entries)) got.add(n);
      last[round % 2] = offerId;
    }
    expect(got.size).toBe(10);
  });
});

it('G2: a lease that ends while the response is still being sent takes the offer back, and says so', async () => {
  const harness = await started({ leaseMs: MINUTE });
  const withdrawn: number[] = [];
  harness.scrapes.onWithdrawn((offerId) => withdrawn.push(offerId));
  await harness.delivered('a');
  await harness.post('1');
  const { offerId } = await harness.scrape('a');
  await harness.pass(MINUTE);
  expect(withdrawn).toEqual([offerId]);
  expect(await harness.delivered('a')).toEqual(['1']);
});

it('a clock that is set, ahead or back, neither ends a lease nor lengthens it', async () => {
  const harness = await started({ leaseMs: MINUTE });
  await harness.post('1');
  const { offerId } = await harness.scrape('a');
  await harness.pass(1_000);
  for (const byMs of [60 * MINUTE, -120 * MINUTE]) {
    harness.setClock(byMs);
    await harness.pass(1_000);
    expect(harness.scrapers.get('a')?.position.offers.map(({ id }) => id)).toEqual([offerId]);
  }
  await harness.pass(MINUTE);
  expect(harness.scrapers.get('a')?.position.offers).toEqual([]);
});

it('a lease that ends after the response went out takes nothing back', async () => {
  const harness = await started({ leaseMs: MINUTE });
  const withdrawn: number[] = [];
  harness.scrapes.onWithdrawn((offerId) => withdrawn.push(offerId));
  await harness.delivered('a');
  await harness.post('1');
  await flushed(harness, 'a', 'untimed');
  await harness.pass(MINUTE);
  expect(withdrawn).toEqual([]);
  expect(harness.counts.deliveries.unproven).toBe(1);
});

describe('while the log has no room for positions', () => {
  class FullLog extends MemoryLog {
    full = false;
    override async saveScraper(record: Parameters<MemoryLog['saveScraper']>[0]): Promise<void> {
      if (this.full) throw new UnavailableError('log_full', 'full', 5);
      await super.saveScraper(record);
    }
    override async deleteScraper(id: string): Promise<void> {
      if (this.full) throw new UnavailableError('log_full', 'full', 5);
      await super.deleteScraper(id);
    }
  }

  it('scrapes go on, and are saved once there is room', async () => {
    const log = new FullLog();
    const harness = await started({}, log);
    await harness.delivered('a', 'timed');
    await harness.post('1');
    log.full = true;
    // Two changes in one turn: the offer on the other socket is settled, and a new one is made.
    await flushed(harness, 'a', 'timed');
    const { entries, offerId } = await flushed(harness, 'a', 'timed');
    expect(numbers(entries)).toEqual(['1']);
    log.full = false;
    harness.scrapes.observe('a', offerId, 'nextRequest');
    expect((await log.loadScrapers())[0]?.position).toMatchObject({ head: 1, returned: [], offers: [] });
    expect(harness.news).toContain('unsaved a');
  });

  it('a scraper that should be forgotten stays known until it can be', async () => {
    const log = new FullLog();
    const harness = await started({ namedTimeoutMs: MINUTE }, log);
    await harness.delivered('a');
    log.full = true;
    await expect(harness.pass(MINUTE)).rejects.toThrow(UnavailableError);
    expect(harness.scrapers.size).toBe(1);
    log.full = false;
    await harness.pass(0);
    expect(harness.scrapers.size).toBe(0);
    await harness.post('1');
    expect(await harness.delivered('a')).toEqual(['1']);
  });
});

describe('while the log is away', () => {
  class AwayLog extends MemoryLog {
    away = false;
    override async saveScraper(record: Parameters<MemoryLog['saveScraper']>[0]): Promise<void> {
      if (this.away) throw new UnavailableError('store_away', 'away', 5);
      await super.saveScraper(record);
    }
    override async offsetAt(time: Parameters<MemoryLog['offsetAt']>[0]) {
      if (this.away) throw new UnavailableError('store_away', 'away', 5);
      return super.offsetAt(time);
    }
  }

  it.each(['timed', 'untimed'] as const)(
    'G2: %s scrapes get no events, and all of them once it is back',
    async (mode) => {
      const log = new AwayLog();
      const harness = await started({}, log);
      await harness.delivered('a', mode);
      for (const n of ['1', '2']) await harness.post(n);
      log.away = true;
      for (let time = 0; time < 3; time += 1) {
        expect(await harness.scrape('a', mode)).toEqual({ entries: [], offerId: undefined });
      }
      // Nor is anybody made known.
      expect(await harness.scrape('b', mode)).toMatchObject({ entries: [] });
      expect(harness.counts).toMatchObject({
        withheld: 4,
        moved: 0,
        deliveries: { returned: 0, repeated: 0 },
      });
      expect(harness.scrapers.get('a')?.position).toMatchObject({
        offers: [],
        halvings: 0,
        perhapsTimed: [],
      });
      expect(harness.scrapers.size).toBe(1);
      log.away = false;
      expect(await harness.delivered('a', mode)).toEqual(['1', '2']);
      expect(await harness.delivered('a', mode)).toEqual([]);
      expect(harness.news.filter((each) => each.startsWith('unsaved'))).toEqual([]);
    },
  );
});

describe('a scraper that was away for hours', () => {
  it('G8: gets everything, moved up to the age limit in order, and counted', async () => {
    const harness = await started({ ageMaxMs: 50 * MINUTE });
    await harness.delivered('a', 'timed');
    for (const n of ['1', '2', '3']) await harness.post(n);
    await harness.pass(3 * HOUR);
    await harness.post('new');
    const oldest = harness.now - 50 * MINUTE;
    const { entries } = await flushed(harness, 'a', 'timed');
    expect(entries.map((entry) => [numberOf(entry), entry.time - oldest])).toEqual([
      ['1', 0],
      ['2', 1],
      ['3', 2],
      ['new', 50 * MINUTE],
    ]);
    expect(harness.counts.moved).toBe(3);
  });

  it('gets the very same samples when they are offered again, in whatever pages', async () => {
    const harness = await started({ eventsMax: 8 });
    await harness.delivered('a', 'timed');
    for (let n = 0; n < 8; n += 1) await harness.post('same', n);
    await harness.pass(3 * HOUR);
    const { entries, offerId } = await flushed(harness, 'a', 'timed');
    expect(entries).toHaveLength(8);
    harness.scrapes.observe('a', offerId, 'reset');
    const again: Entry[] = [];
    for (let round = 0; round < 4; round += 1) {
      await harness.pass(1_000);
      const page = await flushed(harness, 'a', 'timed');
      harness.scrapes.observe('a', page.offerId, 'nextRequest');
      again.push(...page.entries);
    }
    expect(again.map(({ value, time }) => [value, time])).toEqual(
      entries.map(({ value, time }) => [value, time]),
    );
  });

  it('G4: and also after a restart in between', async () => {
    const harness = await started();
    await harness.delivered('a', 'timed');
    await harness.post('1');
    await harness.pass(3 * HOUR);
    const [before] = (await flushed(harness, 'a', 'timed')).entries;
    await harness.start();
    await harness.pass(1_000);
    const [after] = (await flushed(harness, 'a', 'timed')).entries;
    expect(after).toEqual(before);
  });
});

it('G4: late proof of an offer is none of one that had the same number before a restart', async () => {
  const harness = await started();
  await harness.delivered('a', 'timed');
  await harness.start();
  for (const n of ['1', '2', '3']) await harness.post(n);
  const before = await flushed(harness, 'a', 'timed');
  harness.limits.eventsMax = 1;
  await harness.start();
  const after = await flushed(harness, 'a', 'timed');
  expect(after.offerId).toBe(before.offerId);
  // Offered again on another socket; then the first one proves that it had read event 1, and no more.
  await flushed(harness, 'a', 'timed');
  harness.scrapes.observe('a', after.offerId, 'nextRequest');
  harness.limits.eventsMax = 10;
  expect(await harness.delivered('a', 'timed')).toEqual(['2', '3']);
});

describe('the end of a pulse', () => {
  it('is an entry that a timed scraper gets once, after the event', async () => {
    const harness = await started({ pulseWidthMs: MINUTE });
    await harness.delivered('a', 'timed');
    const posted = harness.now;
    await harness.post('1');
    expect(await harness.delivered('a', 'timed')).toEqual(['1']);
    await harness.pass(61_000);
    await harness.endPulses();
    const { entries } = await flushed(harness, 'a', 'timed');
    expect(entries.map(({ kind, time }) => [kind, time])).toEqual([['end', posted + MINUTE]]);
  });

  it('that is too old to be taken by Prometheus is not brought by the next event, either', async () => {
    const harness = await started({ pulseWidthMs: MINUTE });
    await harness.post('1');
    await harness.pass(55 * MINUTE);
    await harness.endPulses();
    await harness.post('1');
    const entries = await readAll(harness.log);
    expect(entries.map(({ kind }) => kind)).toEqual(['event', 'event']);
  });

  it('is settled with the rest in an untimed scrape, and shown in none', async () => {
    const harness = await started({ pulseWidthMs: MINUTE });
    await harness.delivered('a');
    await harness.post('1');
    await harness.pass(61_000);
    await harness.endPulses();
    expect(await harness.delivered('a')).toEqual(['1']);
    expect(harness.counts.deliveries.collapsed).toBe(0);
    expect(await harness.delivered('a')).toEqual([]);
  });
});

describe('several events of one series in an untimed scrape', () => {
  const posted = async (collapse: 'last' | 'sum' | 'count' | 'spread') => {
    const harness = await started({ collapse });
    await harness.delivered('a');
    for (const value of [5, 7, 9]) await harness.post('same', value);
    await harness.post('other', 2);
    return harness;
  };
  const scraped = async (harness: Harness) => {
    const { entries, offerId } = await flushed(harness, 'a', 'untimed');
    harness.scrapes.observe('a', offerId, 'nextRequest');
    return values(entries);
  };

  it.each([
    ['last', [9, 2]],
    ['sum', [21, 2]],
    ['count', [3, 1]],
  ] as const)('%s', async (collapse, shown) => {
    const harness = await posted(collapse);
    expect(await scraped(harness)).toEqual(shown);
    expect(harness.counts.deliveries).toMatchObject({ confirmed: 2, collapsed: 2 });
    expect(await scraped(harness)).toEqual([]);
  });

  it('spread shows one after the other, and loses none when a response breaks', async () => {
    const harness = await posted('spread');
    expect(await scraped(harness)).toEqual([5, 2]);
    const broken = await flushed(harness, 'a', 'untimed');
    expect(values(broken.entries)).toEqual([7]);
    harness.scrapes.observe('a', broken.offerId, 'reset');
    expect(await scraped(harness)).toEqual([7]);
    expect(await scraped(harness)).toEqual([9]);
    expect(await scraped(harness)).toEqual([]);
    expect(harness.counts.deliveries).toMatchObject({ confirmed: 4, collapsed: 0 });
  });
});

describe('a timed scrape for one that keeps a sample of a series', () => {
  const scraped = async (
    harness: Harness,
    once: 'events' | 'samples',
    evidence: Evidence = 'nextRequest',
  ) => {
    const { entries, offerId } = await harness.scrape('a', 'timed', 'parameter', false, once);
    if (offerId === undefined) return [];
    harness.scrapes.flushed('a', offerId);
    harness.scrapes.observe('a', offerId, evidence);
    return entries.filter(({ kind }) => once === 'samples' || kind === 'event');
  };
  const told = (entries: readonly Entry[]) =>
    entries.map((entry) => `${numberOf(entry)} ${entry.kind === 'end' ? 'end' : entry.value}`);

  it('G2: shows each series once, the rest in the next ones, and loses none when a response breaks', async () => {
    const harness = await started();
    await harness.delivered('a', 'timed');
    for (const value of [5, 7, 9]) await harness.post('same', value);
    await harness.post('other', 2);
    expect(told(await scraped(harness, 'samples'))).toEqual(['same 5', 'other 2']);
    expect(told(await scraped(harness, 'samples', 'reset'))).toEqual(['same 7']);
    expect(told(await scraped(harness, 'samples'))).toEqual(['same 7']);
    expect(told(await scraped(harness, 'samples'))).toEqual(['same 9']);
    expect(told(await scraped(harness, 'samples'))).toEqual([]);
    expect(harness.counts.deliveries).toMatchObject({ confirmed: 4, collapsed: 0 });
  });

  it.each([
    ['samples', [['1 1', '2 1'], ['1 end', '2 end'], []]],
    ['events', [['1 1', '2 1'], [], []]],
  ] as const)('%s: an end is one of them where it is shown', async (once, expected) => {
    const harness = await started();
    await harness.delivered('a', 'timed');
    await harness.post('1');
    await harness.post('2');
    await harness.pass(61_000);
    await harness.endPulses();
    for (const each of expected) expect(told(await scraped(harness, once))).toEqual(each);
  });
});

it('G8: an event keeps its final time for every scraper', async () => {
  const harness = await started();
  await harness.delivered('a', 'timed');
  await harness.delivered('b', 'timed');
  await harness.post('1', 1, millis(harness.now - 10_000));
  await harness.post('1', 2, millis(harness.now - 10_000));
  const a = await flushed(harness, 'a', 'timed');
  await harness.pass(5_000);
  const b = await flushed(harness, 'b', 'timed');
  expect(b.entries).toEqual(a.entries);
  expect(harness.counts.retimed).toBe(1);
});
