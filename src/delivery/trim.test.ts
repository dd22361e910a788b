import { expect, it } from 'vitest';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { Harness } from '../../test/support/harness.ts';

const MINUTE = 60_000;

async function started(limits: Partial<HarnessLimits> = {}): Promise<Harness> {
  const harness = new Harness(new MemoryLog(), limits);
  await harness.log.start();
  await harness.start();
  return harness;
}

async function posted(harness: Harness, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) await harness.post(String(n));
}

it('G7: a backlog at its limit is kept whole', async () => {
  const harness = await started({ backlogMax: 5 });
  await harness.delivered('a');
  await posted(harness, 1, 5);
  await harness.pass(0);
  expect(await harness.delivered('a')).toEqual(['1', '2', '3', '4', '5']);
  expect(harness.counts.dropped.backlog_full).toBe(0);
});

it('G6, G7: a backlog past its limit loses its oldest, counted, for that scraper alone', async () => {
  const harness = await started({ backlogMax: 5 });
  await harness.delivered('slow');
  await harness.delivered('quick');
  await posted(harness, 1, 3);
  expect(await harness.delivered('quick')).toEqual(['1', '2', '3']);
  await posted(harness, 4, 7);
  await harness.pass(0);
  expect(harness.counts.dropped.backlog_full).toBe(2);
  expect(await harness.delivered('quick')).toEqual(['4', '5', '6', '7']);
  expect(await harness.delivered('slow')).toEqual(['3', '4', '5', '6', '7']);
});

it('what is out in an offer is not dropped with the backlog', async () => {
  const harness = await started({ backlogMax: 2 });
  await harness.delivered('a');
  await posted(harness, 1, 2);
  const { offerId } = await harness.scrape('a');
  await posted(harness, 3, 6);
  await harness.pass(0);
  expect(harness.counts.dropped.backlog_full).toBe(2);
  harness.scrapes.observe('a', offerId as number, 'reset');
  await harness.pass(0);
  expect(harness.counts.dropped.backlog_full).toBe(4);
  // The page is halved after a broken response, to many times what is left here.
  expect(await harness.delivered('a')).toEqual(['5', '6']);
});

it('what everybody has had is trimmed once retention.min is over, not before', async () => {
  const harness = await started({ retentionMinMs: 10 * MINUTE, timeoutMs: 100 * MINUTE });
  await harness.delivered('a');
  await posted(harness, 1, 3);
  await harness.delivered('a');
  await harness.pass(9 * MINUTE);
  expect(harness.log.state().entries).toBe(3);
  await harness.pass(2 * MINUTE);
  expect(harness.log.state().entries).toBe(0);
  expect(new Set(Object.values(harness.counts.dropped))).toEqual(new Set([0]));
});

it('what one scraper has yet to confirm is kept however old it is', async () => {
  const harness = await started({ retentionMinMs: MINUTE, namedTimeoutMs: 1_000 * MINUTE });
  await harness.delivered('a');
  await harness.delivered('b');
  await posted(harness, 1, 3);
  await harness.delivered('a');
  await harness.pass(60 * MINUTE);
  expect(harness.log.state().entries).toBe(3);
  expect(await harness.delivered('b')).toEqual(['1', '2', '3']);
});

it('events that nobody ever came for are counted when they go', async () => {
  const harness = await started({ retentionMinMs: MINUTE });
  await posted(harness, 1, 3);
  await harness.pass(2 * MINUTE);
  expect(harness.counts.dropped.no_scraper).toBe(3);
});

it('what a scraper had before it was forgotten is not counted as what nobody came for', async () => {
  const harness = await started({ retentionMinMs: 20 * MINUTE, namedTimeoutMs: 10 * MINUTE });
  await posted(harness, 1, 3);
  expect(await harness.delivered('a')).toHaveLength(3);
  await harness.pass(10 * MINUTE);
  expect(harness.scrapers.size).toBe(0);
  await posted(harness, 4, 5);
  await harness.pass(20 * MINUTE);
  expect(harness.log.state().entries).toBe(0);
  expect(harness.counts.dropped.no_scraper).toBe(2);
});

it('G7: a log at its limit is kept whole; past it the oldest go, counted for those who had yet to fetch them', async () => {
  const harness = await started({ entriesMax: 5, backlogMax: 100 });
  await harness.delivered('slow');
  await harness.delivered('quick');
  await posted(harness, 1, 5);
  await harness.pass(0);
  expect(harness.log.state().entries).toBe(5);
  await harness.delivered('quick');
  await posted(harness, 6, 7);
  await harness.pass(0);
  expect(harness.log.state().entries).toBe(5);
  expect(harness.counts.dropped.log_full).toBe(2);
  expect(await harness.delivered('slow')).toEqual(['3', '4', '5', '6', '7']);
  expect(await harness.delivered('quick')).toEqual(['6', '7']);
});

it('G7: a log beyond its bytes loses its oldest, counted', async () => {
  const harness = await started({ logBytesMax: 5_000, backlogMax: 100 });
  await harness.delivered('a');
  for (let n = 1; n <= 10; n += 1) await harness.post(`${n}${'x'.repeat(1_000)}`);
  for (let round = 0; round < 20; round += 1) await harness.pass(0);
  expect(harness.log.state().bytes).toBeLessThanOrEqual(5_000);
  const got = await harness.delivered('a');
  expect(got.length).toBeGreaterThan(0);
  expect(harness.counts.dropped.log_full).toBe(10 - got.length);
});

it('what came back from a broken response after it was trimmed is counted as dropped, and holds nobody up', async () => {
  const harness = await started({ entriesMax: 2, backlogMax: 100 });
  await harness.delivered('a');
  await posted(harness, 1, 2);
  const { offerId } = await harness.scrape('a');
  await posted(harness, 3, 5);
  await harness.pass(0);
  harness.scrapes.observe('a', offerId as number, 'reset');
  await harness.pass(0);
  expect(harness.counts.dropped.log_full).toBe(3);
  expect(await harness.delivered('a')).toEqual(['4', '5']);
});
