import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
import type { ScraperRecord } from '../log/scraperRecords.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { Harness, numberOf } from '../../test/support/harness.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

async function started(limits: Partial<HarnessLimits> = {}, known: readonly string[] = []): Promise<Harness> {
  const harness = new Harness(new MemoryLog(), limits);
  await harness.log.start();
  await harness.start(known);
  return harness;
}

const byAddress = async (harness: Harness, id: string) =>
  (await harness.scrape(id, 'untimed', 'address')).entries.map(numberOf);

describe('where a scraper starts that was not known', () => {
  it('the first of all gets what was posted just before it came', async () => {
    const harness = await started({ lookbackMs: 5 * MINUTE });
    await harness.post('old');
    await harness.pass(6 * MINUTE);
    await harness.post('new');
    expect(await byAddress(harness, '10.0.0.1')).toEqual(['new']);
  });

  it('an address that comes later starts at the end: it may be an old scraper under a new one', async () => {
    const harness = await started();
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    expect(await byAddress(harness, '10.0.0.2')).toEqual([]);
    await harness.post('2');
    expect(await byAddress(harness, '10.0.0.2')).toEqual(['2']);
  });

  it('an id of its own gets what was posted just before it came, whoever was there already', async () => {
    const harness = await started();
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    expect(await harness.delivered('a')).toEqual(['1']);
  });

  it('scrapers.lookback 0 starts everybody at the end', async () => {
    const harness = await started({ lookbackMs: 0 });
    await harness.post('1');
    expect(await harness.delivered('a')).toEqual([]);
  });

  it('G2: scrapers.known makes an id known before its first scrape, once', async () => {
    const harness = await started({ lookbackMs: 0 }, ['a']);
    await harness.post('1');
    await harness.start(['a']);
    await harness.post('2');
    expect(await harness.delivered('a')).toEqual(['1', '2']);
  });
});

/** A log on a disk whose syncs take until the test lets them go. */
class HeldLog extends MemoryLog {
  readonly held: (() => void)[] = [];

  override async saveScraper(record: ScraperRecord): Promise<void> {
    await super.saveScraper(record);
    await new Promise<void>((resolve) => void this.held.push(resolve));
  }
}

describe('a scraper that comes for the first time', () => {
  it.each([1, 0])(
    'waits until it is durably known; with %i events in the same sync as its offer',
    async (events) => {
      const log = new HeldLog();
      const harness = new Harness(log, {});
      await log.start();
      await harness.start([]);
      for (let n = 0; n < events; n += 1) await harness.post(String(n));
      let had: readonly string[] | undefined;
      const scrape = harness.scrape('a').then(({ entries }) => (had = entries.map(numberOf)));
      await vi.waitFor(() => expect(log.held).toHaveLength(1 + events));
      for (const letGo of log.held.toReversed()) {
        expect(had).toBeUndefined();
        letGo();
        await setImmediate();
      }
      await scrape;
      expect(had).toHaveLength(events);
    },
  );
});

it('a record that fails to be saved while the log is read fails that scrape, and nothing else', async () => {
  class FailingLog extends MemoryLog {
    override saveScraper(): Promise<void> {
      return setTimeout(5).then(() => Promise.reject(new Error('unforeseen')));
    }

    override async read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
      await setTimeout(30);
      return super.read(...args);
    }
  }
  const harness = new Harness(new FailingLog(), { tailBytesMax: 1 });
  await harness.log.start();
  await harness.start([]);
  await harness.post('1');
  await harness.post('2');
  await expect(harness.scrape('a')).rejects.toThrow('unforeseen');
});

describe('who stays away', () => {
  it('an address is forgotten after scrapers.timeout, and what it had yet to get is counted', async () => {
    const harness = await started({ timeoutMs: 10 * MINUTE });
    await byAddress(harness, '10.0.0.1');
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    await harness.pass(10 * MINUTE - 1);
    expect(harness.scrapers.size).toBe(1);
    await harness.pass(1);
    expect(harness.scrapers.size).toBe(0);
    expect(harness.counts.dropped.scraper_forgotten).toBe(1);
    expect(harness.news).toContain('forgotten 10.0.0.1');
  });

  it.each(['address', 'pod'] as const)('one known by its %s that came once misses nothing', async (by) => {
    const harness = await started({ timeoutMs: 10 * MINUTE, namedTimeoutMs: 10 * MINUTE, backlogMax: 2 });
    await harness.scrape('10.0.0.1', 'untimed', by);
    for (const n of ['1', '2', '3']) await harness.post(n);
    await harness.pass(MINUTE);
    expect(harness.counts.dropped).toMatchObject({ backlog_full: 0, one_visit: 1 });
    await harness.pass(10 * MINUTE);
    expect(harness.scrapers.size).toBe(0);
    expect(harness.counts.dropped).toMatchObject({ scraper_forgotten: 0, one_visit: 3 });
  });

  it('one that gave an id, came once, and was forgotten did miss what came since', async () => {
    const harness = await started({ namedTimeoutMs: 10 * MINUTE });
    await harness.delivered('a');
    await harness.post('1');
    await harness.pass(10 * MINUTE);
    expect(harness.counts.dropped).toMatchObject({ scraper_forgotten: 1, one_visit: 0 });
  });

  it('that an address came again is known after a restart, though nothing was handed out', async () => {
    const harness = await started({ timeoutMs: 10 * MINUTE });
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) await byAddress(harness, address);
    await harness.start();
    await harness.start();
    await harness.post('1');
    await harness.pass(10 * MINUTE);
    expect(harness.counts.dropped).toMatchObject({ scraper_forgotten: 1, one_visit: 1 });
  });

  it('events that nobody but a passer-by could have had were given up for want of a scraper', async () => {
    const harness = await started({ timeoutMs: 10 * MINUTE, retentionMinMs: 30 * MINUTE });
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    await harness.pass(10 * MINUTE);
    await harness.pass(30 * MINUTE);
    expect(harness.counts.dropped).toMatchObject({ one_visit: 1, no_scraper: 1 });
  });

  it('an id of its own is kept for scrapers.namedTimeout, and gets everything', async () => {
    const harness = await started({ namedTimeoutMs: 7 * DAY, retentionMinMs: 0 });
    await harness.delivered('a');
    await harness.post('1');
    await harness.pass(7 * DAY - 1);
    expect(await harness.delivered('a')).toEqual(['1']);
    await harness.pass(7 * DAY);
    expect(harness.scrapers.size).toBe(0);
  });

  it('G4: nobody is forgotten for the time that the server itself was away', async () => {
    const harness = await started({ timeoutMs: 10 * MINUTE });
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    harness.now = (harness.now + 60 * MINUTE) as never;
    await harness.start();
    await harness.pass(0);
    expect(await byAddress(harness, '10.0.0.1')).toEqual(['1']);
  });

  it('G4: nor for a time in which the process stood still, or by which its clock was set ahead', async () => {
    const harness = await started({ timeoutMs: 10 * MINUTE, standstillMs: MINUTE });
    await byAddress(harness, '10.0.0.1');
    await harness.post('1');
    await harness.pass(1_000);
    await harness.pass(60 * MINUTE);
    await harness.pass(1_000);
    expect(await byAddress(harness, '10.0.0.1')).toEqual(['1']);
    for (let minute = 0; minute < 11; minute += 1) await harness.pass(MINUTE);
    expect(harness.scrapers.size).toBe(0);
  });

  it('one that was forgotten makes room for another', async () => {
    const harness = await started({ scrapersMax: 1, timeoutMs: MINUTE });
    await byAddress(harness, '10.0.0.1');
    await expect(byAddress(harness, '10.0.0.2')).rejects.toThrow(UnavailableError);
    await harness.pass(MINUTE);
    expect(await byAddress(harness, '10.0.0.2')).toEqual([]);
    expect(harness.news).toContain('tooMany 10.0.0.2');
  });
});

describe('a log without room', () => {
  class FullLog extends MemoryLog {
    override deleteScraper(): Promise<void> {
      return Promise.reject(new UnavailableError('log_full', 'no room', 5));
    }
  }

  it('G6: keeps who is to be forgotten, and nobody from the end of a lease', async () => {
    const harness = new Harness(new FullLog(), { timeoutMs: 10 * MINUTE, leaseMs: MINUTE });
    await harness.log.start();
    await harness.start();
    await byAddress(harness, '10.0.0.1');
    await harness.pass(9 * MINUTE);
    await harness.post('1');
    const { offerId } = await harness.scrape('a');
    harness.scrapes.flushed('a', offerId as number);
    await expect(harness.pass(MINUTE)).rejects.toThrow(UnavailableError);
    expect(harness.counts.deliveries.unproven).toBe(1);
    expect(harness.scrapers.size).toBe(2);
    expect(harness.counts.dropped.scraper_forgotten).toBe(0);
  });
});

describe('who is forgotten while it is there', () => {
  it('evidence that comes in that moment does not bring it back, in the log either', async () => {
    const harness = await started();
    await harness.post('1');
    const { offerId } = await harness.scrape('a');
    const gone = harness.expiry.forget('a');
    harness.scrapes.flushed('a', offerId as number);
    expect(await gone).toBe(true);
    expect(await harness.log.loadScrapers()).toEqual([]);
    expect(await harness.delivered('a')).toEqual(['1']);
  });

  it('a scrape that comes in that moment is that of a new scraper', async () => {
    const harness = await started({ lookbackMs: 0 });
    await harness.delivered('a');
    await harness.post('1');
    const gone = harness.expiry.forget('a');
    const scrape = harness.scrape('a');
    await gone;
    expect((await scrape).entries).toEqual([]);
    expect(harness.news.slice(-2)).toEqual(['forgotten a', 'appeared a']);
    expect(await harness.log.loadScrapers()).toHaveLength(1);
  });

  it('what it had not had is counted once, though two ask for it', async () => {
    const harness = await started();
    await harness.delivered('a');
    await harness.post('1');
    const both = await Promise.all([harness.expiry.forget('a'), harness.expiry.forget('a')]);
    expect(both).toEqual([true, false]);
    expect(harness.counts.dropped.scraper_forgotten).toBe(1);
  });
});

it('scrapes of one scraper at the same moment never share an event', async () => {
  const harness = await started({ eventsMax: 10, tailBytesMax: 1 });
  await harness.delivered('a');
  for (let n = 0; n < 100; n += 1) await harness.post(String(n));
  const scrapes = await Promise.all(Array.from({ length: 12 }, () => harness.scrape('a')));
  const got = scrapes.flatMap(({ entries }) => entries.map(numberOf));
  expect(new Set(got).size).toBe(got.length);
  expect(got).toHaveLength(100);
});
