import { describe, expect, test } from 'vitest';
import { Harness } from '../../test/support/harness.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { UnavailableError } from '../core/errors.ts';
import type { Offset } from '../core/offset.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';

/** A log that has no room for the next so many appends. */
class FullLog extends MemoryLog {
  refusals = 0;

  override async append(...call: Parameters<MemoryLog['append']>): Promise<Offset> {
    await Promise.resolve();
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new UnavailableError('log_full', 'no room', 5);
    }
    return super.append(...call);
  }
}

async function aHarness(limits: Partial<HarnessLimits> = {}): Promise<{ relay: Harness; log: FullLog }> {
  const log = new FullLog();
  const relay = new Harness(log, limits);
  await log.start();
  await relay.start(['a']);
  return { relay, log };
}

const ONE = [{ n: '1', id: 'x' }];

describe('an id', () => {
  test('G2: makes an event that is sent again a duplicate, whatever else it says', async () => {
    const { relay } = await aHarness();
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await relay.postBatch([{ n: '2', id: 'x' }])).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await relay.delivered('a')).toEqual(['1']);
    expect(relay.counts).toMatchObject({ accepted: 1, duplicates: 2 });
  });

  test('is known after a restart (G4)', async () => {
    const { relay } = await aHarness();
    await relay.postBatch(ONE);
    await relay.start();
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  test('of two hundred pushes at one moment makes one event, and each gets its answer after that is durable', async () => {
    const { relay, log } = await aHarness();
    const answers = await Promise.all(Array.from({ length: 200 }, () => relay.postBatch(ONE)));
    expect(answers.map(({ accepted }) => accepted)).toEqual([1, ...Array<number>(199).fill(0)]);
    expect(log.state().entries).toBe(1);
  });

  test('whose first push fails leaves its place to the next', async () => {
    const { relay, log } = await aHarness();
    log.refusals = 1;
    const failed = relay.postBatch(ONE);
    const second = relay.postBatch(ONE);
    await expect(failed).rejects.toThrow('no room');
    expect(await second).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  test('is remembered for its window and no longer, though the event is trimmed', async () => {
    const { relay, log } = await aHarness({ windowMs: 60_000 });
    await relay.postBatch(ONE);
    await log.trim(offset(1));
    await relay.pass(60_000);
    expect(await relay.postBatch(ONE)).toMatchObject({ duplicates: 1 });
    await relay.pass(1);
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 1 });
    expect(relay.counts.idsForgotten.ids_max).toBe(0);
  });

  test('is forgotten before that when there are too many, the oldest first, and counted', async () => {
    const { relay, log } = await aHarness({ idsMax: 2 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await relay.postBatch([{ n: id, id }]);
    await relay.pass(1);
    expect(log.state().ids).toBe(2);
    expect(relay.counts.idsForgotten.ids_max).toBe(3);
    expect((await relay.postBatch([{ n: 'd', id: 'd' }])).duplicates).toBe(1);
    expect((await relay.postBatch([{ n: 'c', id: 'c' }])).duplicates).toBe(0);
  });
});

describe('an id that is refreshed', () => {
  test('is known for a window more, and no longer', async () => {
    const { relay } = await aHarness({ windowMs: 60_000 });
    await relay.postBatch(ONE);
    await relay.pass(50_000);
    await relay.refresher.refresh(['x']);
    await relay.pass(60_000);
    expect(await relay.postBatch(ONE)).toMatchObject({ duplicates: 1 });
    await relay.pass(1);
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 1 });
  });

  test('is written only once it is older than a tenth of the window', async () => {
    const { relay } = await aHarness({ windowMs: 60_000 });
    await relay.postBatch(ONE);
    await relay.pass(6_000);
    await relay.refresher.refresh(['x']);
    await relay.pass(54_001);
    expect(await relay.postBatch(ONE)).toMatchObject({ accepted: 1 });
  });

  test('stays as it was where the log has no room', async () => {
    const { relay, log } = await aHarness();
    await relay.postBatch(ONE);
    await relay.pass(10_000_000);
    log.refreshIds = () => Promise.reject(new UnavailableError('log_full', 'no room', 5));
    await relay.refresher.refresh(['x']);
    expect(await relay.postBatch(ONE)).toMatchObject({ duplicates: 1 });
  });
});

describe('a batch', () => {
  test('stores each id once, of which it may hold some twice and some that are known', async () => {
    const { relay } = await aHarness();
    await relay.postBatch(ONE);
    const batch = [{ n: '1', id: 'x' }, { n: '2', id: 'y' }, { n: '3' }, { n: '4', id: 'y' }, { n: '3' }];
    expect(await relay.postBatch(batch)).toMatchObject({
      accepted: 3,
      duplicates: 2,
      outcomes: ['duplicate', 'accepted', 'accepted', 'duplicate', 'accepted'],
      places: [{ first: 1, count: 1 }],
      stored: { first: 2 },
    });
  });

  test("under a request's id is taken as one: sent again, all of it is a duplicate", async () => {
    const { relay } = await aHarness();
    const batch = [{ n: '1' }, { n: '2', id: 'y' }];
    expect(await relay.postBatch(batch, 'request')).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(await relay.postBatch(batch, 'request')).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await relay.postBatch([...batch, { n: '3' }], 'request')).toMatchObject({ duplicates: 3 });
    expect(await relay.postBatch(batch, 'another')).toMatchObject({ accepted: 1, duplicates: 1 });
  });

  test('has ids that say where their events are, whatever ends of pulses came with them', async () => {
    const { relay, log } = await aHarness();
    await relay.postBatch([{ n: '1' }]);
    relay.now = millis(relay.now + 120_000);
    await relay.postBatch([{ n: '2' }, { n: '1', id: 'y' }, { n: '3', id: 'z' }], 'request');
    expect([...(await log.knownIds(['y', 'z'])).values()]).toEqual([
      { first: 4, count: 1 },
      { first: 5, count: 1 },
    ]);
    const { entries } = await log.read(offset(1), offset(9), { entriesMax: 9, bytesMax: Infinity });
    expect(entries.map(({ kind }) => kind)).toEqual(['event', 'end', 'event', 'event']);
    const { places } = await relay.postBatch([{ n: '1' }], 'request');
    expect(places).toEqual([{ first: 2, count: 4 }]);
  });

  test('that has no room leaves none of its ids behind', async () => {
    const { relay, log } = await aHarness();
    log.refusals = 1;
    await expect(relay.postBatch(ONE, 'request')).rejects.toThrow('no room');
    expect(await relay.postBatch(ONE, 'request')).toMatchObject({ accepted: 1, duplicates: 0 });
  });
});
