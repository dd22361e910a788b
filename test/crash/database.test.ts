import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { UnavailableError } from '../../src/core/errors.ts';
import { offset } from '../../src/core/offset.ts';
import { OwnershipLostError } from '../../src/log/log.ts';
import { PostgresLog } from '../../src/log/postgres/postgresLog.ts';
import type { Fault } from '../support/databaseProxy.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import {
  anEvent,
  aScraper,
  at,
  events,
  newIds,
  readAll,
  settles,
  values,
} from '../contract/support/builders.ts';
import { started } from '../contract/support/logs.ts';
import { aLogBehind, aProxy } from '../contract/support/postgresLogs.ts';

const isMissing = requirePostgres() === undefined;
const postgres = isMissing ? (undefined as unknown as Postgres) : await Postgres.start();
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const brokenBy = (log: PostgresLog): Promise<Error> => new Promise((resolve) => log.onBroken(resolve));

describe('a lease', () => {
  test('one whose server is gone is opened once its lease is over', { timeout: 20_000 }, async () => {
    const proxy = await aProxy(postgres);
    const { log, place } = await aLogBehind(postgres, proxy);
    await log.append(events(1));
    proxy.cutOff();
    const direct = { ...place, hosts: [{ host: '127.0.0.1', port: postgres.port }] };
    const began = performance.now();
    const second = await started(new PostgresLog(direct));
    expect(performance.now() - began).toBeGreaterThan(2_000);
    expect(performance.now() - began).toBeLessThan(7_000);
    await second.append(events(1, 2));
    // The first comes back, and finds that it has lost it.
    const broken = brokenBy(log);
    await expect(log.append(events(1, 3))).rejects.toThrow(UnavailableError);
    proxy.restore();
    expect(await broken).toBeInstanceOf(OwnershipLostError);
    expect(await settles(log.append(events(1, 3)))).toBe(false);
    expect(values(await readAll(second))).toEqual([1, 2]);
  });

  test('again and again, under load', { timeout: 60_000 }, async () => {
    const proxy = await aProxy(postgres);
    const { log, told } = await aLogBehind(postgres, proxy);
    const faults: readonly Fault[] = ['statement lost', 'answer lost', 'statement late'];
    let next = 0;
    const over = new AbortController();
    const stop = over.signal;
    const load = Array.from({ length: 16 }, async () => {
      const mine: [number, number][] = [];
      while (!stop.aborted) {
        next += 1;
        const value = next;
        mine.push([value, await log.append([anEvent({ value })], newIds(`id ${value}`))]);
      }
      return mine;
    });
    for (let round = 0; round < 12; round += 1) {
      proxy.strike(faults[round % 3] as Fault);
      await expect.poll(() => proxy.struck).toBe(round + 1);
      await sleep(150);
    }
    over.abort();
    const answered = (await Promise.all(load)).flat();
    const all = await readAll(log);
    expect(all).toHaveLength(answered.length);
    for (const [value, place] of answered) expect(all[place - 1]?.value).toBe(value);
    expect(told.toSorted((a, b) => a - b)).toEqual(upTo(answered.length));
    expect(log.state().ids).toBe(answered.length);
  });
});

describe('a database that is away', () => {
  test('for a moment: what is called waits', async () => {
    const proxy = await aProxy(postgres);
    const { log } = await aLogBehind(postgres, proxy);
    await log.append(events(1));
    proxy.cutOff();
    const calls = [log.append(events(1, 2)), log.append(events(1, 3), newIds('a'))];
    await sleep(1_000);
    proxy.restore();
    expect(await Promise.all(calls)).toEqual([2, 3]);
  });

  test(
    'for longer: calls reject, nothing of them is stored, and it comes back by itself',
    { timeout: 40_000 },
    async () => {
      const proxy = await aProxy(postgres);
      const { log, told, news } = await aLogBehind(postgres, proxy);
      await log.append(events(1));
      await log.saveScraper(aScraper());
      proxy.cutOff();
      await sleep(50);
      const waiting = [
        log.append(events(1, 20)),
        log.append(events(1, 21)),
        log.saveScraper(aScraper({ version: 2 })),
        log.deleteScraper('a'),
        log.saveNote('a', 'b'),
        log.trim(offset(1)),
      ];
      for (const each of await Promise.allSettled(waiting)) {
        expect(each).toMatchObject({ status: 'rejected', reason: { reason: 'store_away' } });
      }
      expect(log.state()).toMatchObject({ end: 1, store: { isAway: true } });
      const began = performance.now();
      for (const call of [
        () => log.append(events(1, 22)),
        () => log.knownIds(['a']),
        () => log.read(offset(0), offset(1), { entriesMax: 1, bytesMax: 1 }),
        () => log.offsetAt(at(0)),
        () => log.loadNote('a'),
        () => log.forgetIds(at(0), 0),
      ])
        await expect(call()).rejects.toThrow(UnavailableError);
      expect(performance.now() - began).toBeLessThan(500);
      proxy.restore();
      await expect.poll(() => log.state().store?.isAway).toBe(false);
      expect(await log.append(events(1, 2))).toBe(2);
      expect(told).toEqual([1, 2]);
      expect(values(await readAll(log))).toEqual([1, 2]);
      // A version that was left out is no sign of another owner.
      await log.saveScraper(aScraper({ version: 3 }));
      expect(news.map(({ kind }) => kind)).toEqual(['worth', 'away', 'back']);
    },
  );

  test(
    'a call of which nobody knows whether it is stored settles once that is known',
    { timeout: 20_000 },
    async () => {
      const proxy = await aProxy(postgres);
      const { log } = await aLogBehind(postgres, proxy);
      for (const [count, fault] of (['answer lost', 'statement lost'] as const).entries()) {
        proxy.strike(fault, true);
        const call = log.append(events(1, count + 1));
        expect(await settles(call, 6_000)).toBe(false);
        proxy.restore();
        expect(await call).toBe(count + 1);
      }
      expect(values(await readAll(log))).toEqual([1, 2]);
    },
  );

  test('connections that say nothing any more are given up', { timeout: 40_000 }, async () => {
    const proxy = await aProxy(postgres);
    const { log, news } = await aLogBehind(postgres, proxy);
    await log.append(events(1));
    await readAll(log);
    proxy.freeze();
    const calls = [log.append(events(1, 2)), readAll(log)] as const;
    await sleep(50);
    // Behind one of which nothing is known.
    const began = performance.now();
    await expect(log.append(events(1, 20))).rejects.toThrow('no answer for 5 s');
    expect(performance.now() - began).toBeLessThan(6_000);
    await expect(log.append(events(1, 21))).rejects.toThrow(UnavailableError);
    expect(await calls[0]).toBe(2);
    expect(values(await calls[1])).toEqual([1]);
    expect(news).toContainEqual({ kind: 'away', why: 'no answer for 5 s' });
  });

  test('more than may wait is refused at once', async () => {
    const proxy = await aProxy(postgres);
    const { log } = await aLogBehind(postgres, proxy);
    proxy.cutOff();
    const series = `m{a="${'x'.repeat(1_000_000)}"}`;
    const calls = Array.from({ length: 60 }, () => log.append([anEvent({ series })]));
    const refused = await Promise.race([
      ...calls.map((call) => call.catch((error: unknown) => error)),
      sleep(1_000, 'none'),
    ]);
    expect(String(refused)).toContain('too much waits for the database');
    proxy.restore();
    await Promise.allSettled(calls);
  });

  test('disposing of a log whose database is away ends', { timeout: 40_000 }, async () => {
    const proxy = await aProxy(postgres);
    const { log } = await aLogBehind(postgres, proxy);
    await log.append(events(1));
    proxy.cutOff();
    const call = log.append(events(1, 2));
    call.catch(() => undefined);
    await log[Symbol.asyncDispose]();
    expect(() => log.state()).toThrow('not open');
  });

  test.each(['fast', 'immediate'] as const)(
    'restarts (%s) under load lose nothing, and store nothing twice',
    { timeout: 60_000 },
    async (how) => {
      await using own = await Postgres.start();
      const log = await started(new PostgresLog(own.place()));
      let next = 0;
      const over = new AbortController();
      const stop = over.signal;
      let refused = 0;
      const load = Array.from({ length: 16 }, async () => {
        const mine: number[] = [];
        while (!stop.aborted) {
          next += 1;
          const value = next;
          try {
            await log.append([anEvent({ value })], newIds(`id ${value}`));
            mine.push(value);
          } catch (error) {
            if (!(error instanceof UnavailableError)) throw error;
            refused += 1;
            await sleep(50);
          }
        }
        return mine;
      });
      for (let round = 0; round < 3; round += 1) {
        await sleep(300);
        await own.restart(how);
      }
      await expect.poll(() => log.state().store?.isAway).toBe(false);
      await sleep(300);
      over.abort();
      const answered = (await Promise.all(load)).flat().toSorted((a, b) => a - b);
      expect(answered.length).toBeGreaterThan(100);
      expect(values(await readAll(log)).toSorted((a, b) => a - b)).toEqual(answered);
      expect(refused).toBe(0);
      await log[Symbol.asyncDispose]();
    },
  );
});
