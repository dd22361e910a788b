import { describe, expect, test } from 'vitest';
import { Harness } from '../../test/support/harness.ts';
import { offset } from '../core/offset.ts';
import { rangeFrom } from '../core/range.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import type { WaitEnd } from './deliveryWaits.ts';
import { DeliveryWaits } from './deliveryWaits.ts';

const LONG_MS = 600_000;

async function aHarness(known: readonly string[], max = 1_000) {
  const relay = new Harness(new MemoryLog(), { lookbackMs: 0 });
  await relay.log.start();
  await relay.start(known);
  const waits = new DeliveryWaits(relay.scrapers, max);
  const ends: WaitEnd[] = [];
  const begin = (place: number, of?: readonly string[]) => {
    const wait = waits.begin({ ranges: rangeFrom(offset(place), 1), of, meant: new Map() }, LONG_MS);
    void wait.ended.then((end) => ends.push(end));
    return wait;
  };
  return { relay, waits, begin, ends };
}

describe('a wait', () => {
  test('ends once all have it, in whatever order', async () => {
    for (const order of ['abc', 'cba', 'bca']) {
      const { relay, waits, begin, ends } = await aHarness(['a', 'b', 'c']);
      await relay.post('1');
      begin(1);
      for (const id of order) {
        expect(ends).toEqual([]);
        await relay.delivered(id);
      }
      await Promise.resolve();
      expect(ends).toEqual(['settled']);
      expect(waits.size).toBe(0);
    }
  });

  test('goes on after a broken response, and does not end with what is only sent', async () => {
    const { relay, begin, ends } = await aHarness(['a']);
    await relay.post('1');
    begin(1);
    for (const evidence of ['reset', 'cleanEnd'] as const) {
      const { offerId = 0 } = await relay.scrape('a', 'timed');
      relay.scrapes.flushed('a', offerId);
      relay.scrapes.observe('a', offerId, evidence);
    }
    expect(ends).toEqual([]);
    await relay.delivered('a', 'timed');
    expect(ends).toEqual(['settled']);
  });

  test('is not held up by who is forgotten, and waits for another where nobody is left', async () => {
    const { relay, begin, ends } = await aHarness(['a', 'b']);
    await relay.post('1');
    begin(1);
    await relay.delivered('b');
    await relay.expiry.forget('a');
    expect(ends).toEqual(['settled']);
    await relay.post('2');
    begin(2);
    await relay.expiry.forget('b');
    await relay.post('3');
    expect(ends).toEqual(['settled']);
    // Who begins behind it will never get it.
    await relay.scrape('c', 'timed');
    expect(ends).toEqual(['settled', 'settled']);
  });

  test('does not wait for who came once from a pod, until it comes again', async () => {
    const { relay, begin, ends } = await aHarness(['a']);
    await relay.scrape('pod', 'timed', 'pod');
    await relay.post('1');
    begin(1);
    begin(1, ['pod']);
    await relay.delivered('a');
    expect(ends).toEqual(['settled']);
    begin(1);
    await relay.scrape('pod', 'timed', 'pod');
    begin(1);
    await Promise.resolve();
    expect(ends).toEqual(['settled', 'settled']);
    await relay.delivered('pod', 'timed');
    await relay.delivered('pod', 'timed');
    expect(ends).toEqual(['settled', 'settled', 'settled', 'settled']);
  });

  test('that is cancelled, or beyond the most, is no more', async () => {
    const { relay, waits, begin, ends } = await aHarness(['a'], 1);
    await relay.post('1');
    const first = begin(1);
    begin(1);
    first.cancel();
    first.cancel();
    await relay.delivered('a');
    expect([...ends, waits.size]).toEqual(['full', 'gone', 0]);
  });

  test('ends with the server, and none begins then', async () => {
    const { relay, waits, begin, ends } = await aHarness(['a']);
    await relay.post('1');
    begin(1);
    begin(1, ['later']);
    waits.stop();
    begin(1);
    await Promise.resolve();
    expect([...ends, waits.size]).toEqual(['stopping', 'stopping', 'stopping', 0]);
  });

  test('G7: a thousand of them are looked at once for each change of the scraper that they wait for', async () => {
    const { relay, waits, begin, ends } = await aHarness(['a', 'b']);
    for (let n = 1; n <= 1000; n += 1) {
      await relay.post(String(n));
      begin(n);
    }
    expect(waits.size).toBe(1000);
    await relay.delivered('b');
    expect(ends).toEqual([]);
    await relay.delivered('a');
    expect([ends.length, waits.size]).toEqual([1000, 0]);
  });
});
