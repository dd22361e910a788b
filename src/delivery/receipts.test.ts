import { describe, expect, test } from 'vitest';
import { Harness } from '../../test/support/harness.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { eventIdOf } from '../core/eventId.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { range } from '../core/range.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';

async function aHarness(limits: Partial<HarnessLimits> = {}, known = ['a']): Promise<Harness> {
  const relay = new Harness(new MemoryLog(), limits);
  await relay.log.start();
  await relay.start(known);
  return relay;
}

/** What each scraper is told to have of an entry. */
const fateAt = (relay: Harness, place: number) =>
  Object.fromEntries(
    relay.receipts
      .fates(range(offset(place - 1), offset(place)), new Map())
      .map(({ id, fates: [fate] }) => [id, fate?.reason ?? fate?.state]),
  );

describe('an event is found', () => {
  test('by its id, by that of its request, and by what stands for it', async () => {
    const relay = await aHarness();
    await relay.postBatch([{ n: '1', id: 'x' }]);
    await relay.postBatch([{ n: '2' }, { n: '3' }], 'request');
    expect(await relay.receipts.find('x', ['none', 'x'])).toMatchObject({
      kind: 'event',
      entry: { offset: 1, series: 'e{n="1"}' },
    });
    expect(await relay.receipts.find('request', ['request'])).toEqual({
      kind: 'several',
      ranges: range(offset(1), offset(3)),
    });
    const eventId = eventIdOf(offset(3), relay.now);
    expect(await relay.receipts.find(eventId, [eventId])).toMatchObject({ entry: { offset: 3 } });
  });

  test('by nothing that is of another log, or was never stored', async () => {
    const relay = await aHarness();
    await relay.post('1');
    const find = (id: string) => relay.receipts.find(id, [id]);
    expect(await find(eventIdOf(offset(1), millis(relay.now + 1)))).toEqual({ kind: 'none' });
    expect(await find(eventIdOf(offset(2), relay.now))).toEqual({ kind: 'none' });
    expect(await find('x')).toEqual({ kind: 'none' });
  });

  test("by what stands for it also where a sender chose that for another's id", async () => {
    const relay = await aHarness();
    await relay.post('1');
    const eventId = eventIdOf(offset(1), relay.now);
    await relay.postBatch([{ n: '2', id: eventId }]);
    expect(await relay.receipts.find(eventId, [eventId])).toMatchObject({ entry: { offset: 1 } });
  });

  test('no more once it is trimmed, and of a known id that is told', async () => {
    const relay = await aHarness({ retentionMinMs: 0 });
    await relay.postBatch([{ n: '1', id: 'x' }]);
    await relay.postBatch([{ n: '2' }, { n: '3' }], 'request');
    const eventId = eventIdOf(offset(1), relay.now);
    await relay.delivered('a');
    await relay.pass(1_000);
    expect(relay.log.state().trimmed).toBe(3);
    expect(await relay.receipts.find('x', ['x'])).toEqual({ kind: 'gone' });
    expect(await relay.receipts.find('request', ['request'])).toEqual({ kind: 'gone' });
    expect(await relay.receipts.find(eventId, [eventId])).toEqual({ kind: 'none' });
  });

  test('only by ids whose place is known', async () => {
    class OldLog extends MemoryLog {
      override async knownIds(ids: readonly string[]) {
        return new Map(ids.map((id) => [id, undefined])) as never;
      }
    }
    const relay = new Harness(new OldLog());
    await relay.log.start();
    await relay.start([]);
    expect(await relay.receipts.find('x', ['x'])).toEqual({ kind: 'noPlace' });
  });
});

describe('what each scraper has of it', () => {
  test('G2: is waiting, then on its way, then delivered, once there is proof', async () => {
    const relay = await aHarness({}, ['a', 'b']);
    await relay.post('1');
    expect(fateAt(relay, 1)).toEqual({ a: 'waiting', b: 'waiting' });
    const { offerId = 0 } = await relay.scrape('a', 'timed');
    relay.scrapes.flushed('a', offerId);
    expect(fateAt(relay, 1)).toEqual({ a: 'onItsWay', b: 'waiting' });
    relay.scrapes.observe('a', offerId, 'nextRequest');
    expect(fateAt(relay, 1)).toEqual({ a: 'delivered', b: 'waiting' });
  });

  test('G3: is waiting again after a broken response', async () => {
    const relay = await aHarness();
    await relay.post('1');
    const { offerId = 0 } = await relay.scrape('a', 'timed');
    relay.scrapes.observe('a', offerId, 'reset');
    expect(fateAt(relay, 1)).toEqual({ a: 'waiting' });
  });

  test('G4: is known after a restart, in which nothing was proved', async () => {
    const relay = await aHarness();
    for (const n of ['1', '2', '3']) await relay.post(n);
    await relay.delivered('a');
    await relay.post('4');
    const { offerId = 0 } = await relay.scrape('a');
    relay.scrapes.flushed('a', offerId);
    await relay.post('5');
    await relay.scrape('a', 'timed');
    await relay.start();
    expect([3, 4, 5].map((place) => fateAt(relay, place)['a'])).toEqual([
      'delivered',
      'deliveredWithoutProof',
      'waiting',
    ]);
  });

  test('is nothing if it began later', async () => {
    const relay = await aHarness();
    await relay.post('1');
    await relay.scrape('late', 'timed', 'address');
    expect(fateAt(relay, 1)['late']).toBe('beforeItsStart');
  });

  test('is not a sample of its own where one stood for several events', async () => {
    const relay = await aHarness();
    for (const n of ['x', 'y', 'x', 'x', 'y', 'z']) await relay.post(n);
    await relay.delivered('a');
    expect([1, 2, 3, 4, 5, 6].map((place) => fateAt(relay, place)['a'])).toEqual([
      'collapsed',
      'collapsed',
      'collapsed',
      'delivered',
      'delivered',
      'delivered',
    ]);
    // Where they are many, it is known only that there are some.
    for (let n = 0; n < 100; n += 1) for (const each of ['x', String(n)]) await relay.post(each);
    await relay.delivered('a');
    expect(relay.receipts.fates(range(offset(6), offset(7)), new Map())[0]?.fates).toEqual([
      { state: 'unknown', isPerhapsCollapsed: true, count: 1 },
    ]);
  });

  test('is dropped, with the reason, where a limit took it', async () => {
    const relay = await aHarness({ backlogMax: 2 });
    for (const n of ['1', '2', '3']) await relay.post(n);
    await relay.pass(1_000);
    expect([1, 2].map((place) => fateAt(relay, place)['a'])).toEqual(['backlog_full', 'waiting']);
    relay.limits.backlogMax = 100;
  });

  test('is told of who is asked for, known or not', async () => {
    const relay = await aHarness({}, ['a', 'b']);
    await relay.post('1');
    expect(relay.receipts.fates(range(offset(0), offset(1)), new Map(), ['b', 'c'])).toEqual([
      { id: 'b', identifiedBy: 'parameter', fates: [{ state: 'waiting', count: 1 }] },
      { id: 'c', identifiedBy: undefined, fates: [] },
    ]);
  });

  test('costs a position next to nothing where all is proved', async () => {
    const relay = await aHarness();
    for (let n = 0; n < 50; n += 1) {
      await relay.post(String(n));
      await relay.delivered('a', 'timed');
    }
    expect(relay.scrapers.get('a')?.position.past).toEqual({ start: 0, known: 0, ways: {} });
  });
});
