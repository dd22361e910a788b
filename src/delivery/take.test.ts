import { describe, expect, it } from 'vitest';
import { Harness, numberOf } from '../../test/support/harness.ts';
import { Share } from '../core/memory.ts';
import { entriesOf } from '../core/run.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import type { SinkIdentity } from './scrapers.ts';

const DB: SinkIdentity = { id: 'sink:db', identifiedBy: 'sink', address: 'db' };

async function started(): Promise<Harness> {
  const log = new MemoryLog();
  const harness = new Harness(log);
  await log.start();
  await harness.start([]);
  // It is known before anything is posted.
  await take(harness);
  return harness;
}

/** What a sink takes, and what it says then of its receiver. */
async function take(harness: Harness, eventsMax = 10) {
  const { runs, offerId, count, perhaps, isFull } = await harness.scrapes.take({
    identity: DB,
    mode: 'timed',
    requestedAt: harness.now,
    askedAt: harness.now,
    format: 'test',
    showsEnds: true,
    connection: 0,
    throughProxy: false,
    isVariable: false,
    memory: new Share(Infinity).claim(),
    addedBytes: 0,
    eventsMax,
    ageMaxMs: 3_000_000,
  });
  const observe = (evidence: 'stored' | 'refused' | 'missing' | 'notNow', mayBeThere = false) => {
    if (mayBeThere) harness.scrapes.flushed(DB.id, offerId ?? 0);
    harness.scrapes.observe(DB.id, offerId ?? 0, evidence);
  };
  return { numbers: entriesOf(runs).map(numberOf), count, perhaps, isFull, observe };
}

async function post(harness: Harness, ...numbers: readonly string[]): Promise<void> {
  for (const n of numbers) await harness.post(n);
}

describe('what a sink takes', () => {
  it('G2: is confirmed by what its receiver has stored, and comes once', async () => {
    const harness = await started();
    await post(harness, '1', '2', '3');
    const first = await take(harness, 2);
    expect(first).toMatchObject({ numbers: ['1', '2'], count: 2, isFull: true });
    first.observe('stored');
    const rest = await take(harness);
    expect(rest).toMatchObject({ numbers: ['3'], isFull: false });
    rest.observe('stored');
    expect((await take(harness)).numbers).toEqual([]);
    expect(harness.counts.deliveries.confirmed).toBe(3);
  });

  it('G3: comes again where its receiver could not take it, before anything newer', async () => {
    const harness = await started();
    await post(harness, '1', '2');
    (await take(harness)).observe('notNow');
    await post(harness, '3');
    const again = await take(harness);
    expect(again).toMatchObject({ numbers: ['1', '2', '3'], perhaps: 0 });
    again.observe('notNow', true);
    expect((await take(harness)).perhaps).toBe(3);
    expect(harness.counts.deliveries.repeated).toBe(5);
  });

  it('is dropped if it is refused alone, and comes again if it is refused with others', async () => {
    const harness = await started();
    await post(harness, '1', '2');
    (await take(harness)).observe('refused');
    const one = await take(harness, 1);
    expect(one.numbers).toEqual(['1']);
    one.observe('refused');
    expect((await take(harness)).numbers).toEqual(['2']);
    expect(harness.counts.dropped.refused).toBe(1);
  });

  it('is judged as delivered if it is refused alone and may be there, unless it surely is not', async () => {
    const harness = await started();
    await post(harness, '1', '2', '3');
    (await take(harness)).observe('notNow', true);
    (await take(harness, 1)).observe('refused');
    (await take(harness, 1)).observe('missing');
    const last = await take(harness);
    expect(last.numbers).toEqual(['3']);
    expect([harness.counts.deliveries.unproven, harness.counts.dropped.refused]).toEqual([1, 1]);
  });

  it('stays out until its receiver has answered, however long a lease is', async () => {
    const harness = await started();
    await post(harness, '1');
    const out = await take(harness);
    await harness.pass(harness.limits.leaseMs * 2);
    expect(harness.scrapers.get(DB.id)?.position.offers).toHaveLength(1);
    out.observe('stored');
    expect(harness.counts.deliveries.confirmed).toBe(1);
  });

  it('begins at the end of the log after the sink was forgotten: that is how to skip what waits', async () => {
    const harness = await started();
    await post(harness, '1');
    expect(await harness.expiry.forget(DB.id)).toBe(true);
    expect((await take(harness)).numbers).toEqual([]);
    await post(harness, '2');
    expect((await take(harness)).numbers).toEqual(['2']);
  });

  it('has the ends of pulses in the log', async () => {
    const harness = await started();
    expect(harness.sightings.endsShown).toBe(true);
  });
});
