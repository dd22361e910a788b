import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/entry.ts';
import { offset, START } from '../../src/core/offset.ts';
import type { Log } from '../../src/log/log.ts';
import { OwnershipLostError } from '../../src/log/log.ts';
import { anEvent, aScraper, at, events, newIds, readAll, readSome, values } from './support/builders.ts';
import { aFolder } from './support/folders.ts';
import { LOG_KINDS, aSqliteLog, started } from './support/logs.ts';
import { POSTGRES_KINDS } from './support/postgresKind.ts';

/** Remembers what a log tells. */
function toldBy(log: Log): Entry[] {
  const told: Entry[] = [];
  log.onCommitted((entries) => told.push(...entries));
  return told;
}

describe.each([...LOG_KINDS, ...POSTGRES_KINDS])('$name', ({ place, isPersistent, savesAtOnce, needs }) => {
  beforeEach(({ skip }) => skip(needs !== undefined, needs));
  const aLog = async (): Promise<Log> => started(place()());

  describe('a new log', () => {
    test('is empty, and stands before the first entry', async () => {
      const log = await aLog();
      expect(log.state()).toMatchObject({
        trimmed: 0,
        end: 0,
        entries: 0,
        lastArrived: 0,
        hadScrapers: false,
      });
      expect(await readAll(log)).toEqual([]);
      expect(await log.offsetAt(at(0))).toBe(0);
      expect(await log.loadScrapers()).toEqual([]);
    });

    test('constructing does no I/O: all else waits for the start', async () => {
      const log = place()();
      expect(() => log.state()).toThrow('not open');
      await expect(log.append(events(1))).rejects.toThrow('not open');
      await expect(log.saveScraper(aScraper())).rejects.toThrow('not open');
      await expect(log.saveNote('a', 'text')).rejects.toThrow('not open');
      await expect(log.loadNote('a')).rejects.toThrow('not open');
    });

    test('one that was never started can be disposed of', async () => {
      const log = place()();
      await log[Symbol.asyncDispose]();
      expect(() => log.state()).toThrow('not open');
    });
  });

  describe('append', () => {
    test('offsets begin at 1 and increase in the order of the entries', async () => {
      const log = await aLog();
      await log.append(events(3));
      await log.append(events(2, 4));
      const all = await readAll(log);
      expect(all.map((entry) => entry.offset)).toEqual([1, 2, 3, 4, 5]);
      expect(values(all)).toEqual([1, 2, 3, 4, 5]);
    });

    test('each append is told where its first entry stands', async () => {
      const log = await aLog();
      const first = [
        log.append(events(3)),
        log.append(events(1, 4)),
        log.append([]),
        log.append(events(2, 5)),
      ];
      expect((await Promise.all(first)).toSpliced(2, 1)).toEqual([1, 4, 5]);
      expect(await log.append([])).toBe(7);
      expect(await log.append(events(1, 7))).toBe(7);
    });

    test('concurrent appends keep the order of the calls, and stay together', async () => {
      const log = await aLog();
      const told = toldBy(log);
      await Promise.all(Array.from({ length: 100 }, (_, call) => log.append(events(3, call * 3 + 1))));
      expect(values(told)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
      expect(await readAll(log)).toEqual(told);
    });

    test('appends resolve in the order of the calls', async () => {
      const log = await aLog();
      const resolved: number[] = [];
      const calls = [1, 2, 3, 4].map(async (call) => {
        await log.append(events(call));
        resolved.push(call);
      });
      await Promise.all(calls);
      expect(resolved).toEqual([1, 2, 3, 4]);
    });

    test('every listener is told each entry once, in order, before its append resolves', async () => {
      const log = await aLog();
      const first = toldBy(log);
      const second = toldBy(log);
      for (let call = 0; call < 5; call += 1) {
        await log.append(events(2, call * 2 + 1));
        expect(values(first)).toEqual(Array.from({ length: call * 2 + 2 }, (_, index) => index + 1));
      }
      expect(second).toEqual(first);
    });

    test('a listener finds the entries it is told in the state and by reading', async () => {
      const log = await aLog();
      const seen: unknown[] = [];
      log.onCommitted((entries) => {
        const { end, lastArrived } = log.state();
        seen.push([end, lastArrived, entries.at(-1)?.offset]);
      });
      await log.append(events(2));
      expect(seen).toEqual([[2, at(20), 2]]);
    });

    test('a listener may append', async () => {
      const log = await aLog();
      const told = toldBy(log);
      let answer: Promise<unknown> | undefined;
      log.onCommitted(() => {
        answer ??= log.append([anEvent({ kind: 'end', value: 7 })]);
      });
      await log.append(events(1));
      await answer;
      expect(told.map((entry) => [entry.offset, entry.kind])).toEqual([
        [1, 'event'],
        [2, 'end'],
      ]);
    });

    test('no listener is told before the call returns', async () => {
      const log = await aLog();
      const told = toldBy(log);
      const call = log.append(events(1));
      expect(told).toEqual([]);
      await call;
    });

    test('appending nothing resolves, and tells nobody', async () => {
      const log = await aLog();
      let calls = 0;
      log.onCommitted(() => (calls += 1));
      await log.append([]);
      expect(calls).toBe(0);
      expect(log.state().end).toBe(0);
    });

    test('one call may bring 20,000 entries', async () => {
      const log = await aLog();
      const told = toldBy(log);
      await log.append(events(20_000));
      expect(told).toHaveLength(20_000);
      expect(log.state()).toMatchObject({ end: 20_000, entries: 20_000 });
      expect(await readAll(log)).toEqual(told);
    });
  });

  describe('what an entry holds', () => {
    const VALUES = [
      Number.NaN,
      Infinity,
      -Infinity,
      -0,
      0,
      1,
      -1,
      0.1,
      5e-324,
      -5e-324,
      2.2250738585072014e-308,
      Number.MAX_VALUE,
      2 ** 53 - 1,
      2 ** 53,
      2 ** 53 + 2,
      -(2 ** 63),
      2 ** 63,
      2 ** 64,
      1e300,
    ];

    test('every float64 is read back to the bit', async () => {
      const log = await aLog();
      await log.append(VALUES.map((value) => anEvent({ value })));
      for (const [index, { value }] of (await readAll(log)).entries()) expect(value).toBe(VALUES[index]);
    });

    test('any float64 whatever is read back to the bit', async () => {
      const log = await aLog();
      await fc.assert(
        fc.asyncProperty(fc.array(fc.double(), { minLength: 1 }), async (some) => {
          const before = log.state().end;
          await log.append(some.map((value) => anEvent({ value })));
          const read = values(await readSome(log, before, log.state().end, some.length));
          expect(read.every((value, index) => Object.is(value, some[index]))).toBe(true);
        }),
        { numRuns: 50 },
      );
    });

    test.each([
      ['control characters, NUL among them', 'm{a="\u0000b\u0001\u007F\u0000"}'],
      ['a byte order mark', '\uFEFFm{a="\uFEFF"}'],
      ['quotes, backslashes and line ends', `m{a="\\"\\\\\\n'';--\r\n"}`],
      ['astral and combining characters', 'm{a="😀👩‍👩‍👧\u0301é\u{10FFFF}\uFFFF"}'],
      ['a long text', `m{a="${'ä'.repeat(100_000)}"}`],
    ])('a series is kept to the letter: %s', async (_, series) => {
      const log = await aLog();
      await log.append([anEvent({ series })]);
      expect((await readAll(log))[0]?.series).toBe(series);
    });

    test('any Unicode text is kept to the letter', async () => {
      const log = await aLog();
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), async (series) => {
          const before = log.state().end;
          await log.append([anEvent({ series })]);
          expect((await readSome(log, before, log.state().end, 1))[0]?.series).toBe(series);
        }),
        { numRuns: 50 },
      );
    });

    test('kind, time and arrival are kept, beyond 32 bits and before 1970', async () => {
      const log = await aLog();
      const some = [
        anEvent({ kind: 'event', time: at(-1e13), arrived: at(0) }),
        anEvent({ kind: 'end', time: at(5), arrived: at(1) }),
        anEvent({ time: at(1e14), arrived: at(1e14), series: 'm' }),
      ];
      await log.append(some);
      const all = await readAll(log);
      expect(all).toMatchObject(some);
      expect(Object.keys(all[0] ?? {}).toSorted()).toEqual([
        'arrived',
        'kind',
        'offset',
        'series',
        'time',
        'value',
      ]);
    });
  });

  describe('read', () => {
    test.each([
      [0, 10, 100, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
      [0, 4, 100, [1, 2, 3, 4]],
      [3, 6, 100, [4, 5, 6]],
      [3, 9, 2, [4, 5]],
      [9, 10, 1, [10]],
      [10, 10, 5, []],
      [7, 3, 5, []],
      [9, 99, 5, [10]],
      [99, 199, 5, []],
    ])('beyond %i up to %i, at most %i', async (after, upTo, entriesMax, expected) => {
      const log = await aLog();
      await log.append(events(10));
      const limits = { entriesMax, bytesMax: Infinity };
      const read = await log.read(offset(after), offset(upTo), limits);
      expect(values(read.entries)).toEqual(expected);
      expect(read).toMatchObject({ upTo: Math.max(after, expected.at(-1) ?? 0), lost: 0 });
    });

    test('goes on from where the last one ended, whatever its limits', async () => {
      const log = await aLog();
      for (const first of [1, 2, 12, 13]) await log.append(events(first % 10 === 2 ? 10 : 1, first));
      await log.append([anEvent({ value: 14, series: `m{a="${'я'.repeat(1_000)}"}` }), ...events(6, 15)]);
      for (const entriesMax of [1, 2, 7, 100]) {
        for (const bytesMax of [1, 101, 300, 1_000, 3_000, 1e9]) {
          const all: number[] = [];
          for (let from = START; from < 20;) {
            const { entries, upTo, lost } = await log.read(from, offset(20), { entriesMax, bytesMax });
            expect(upTo).toBe(entries.at(-1)?.offset);
            expect(lost).toBe(0);
            all.push(...values(entries));
            from = upTo;
          }
          expect(all).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        }
      }
    });

    test('gives no more than takes so much memory, but for the last entry of it, and always the first', async () => {
      const log = await aLog();
      const series = `m{a="${'x'.repeat(994)}"}`;
      await log.append(Array.from({ length: 10 }, () => anEvent({ series })));
      await log.append(Array.from({ length: 10 }, () => anEvent({ series: series.replace('x', 'я') })));
      const countFrom = async (after: number, bytesMax: number) =>
        (await log.read(offset(after), offset(20), { entriesMax: 100, bytesMax })).entries.length;
      expect(await countFrom(0, 1)).toBe(1);
      expect(await countFrom(0, 1_100)).toBe(1);
      expect(await countFrom(0, 5_000)).toBe(5);
      // Two bytes a unit.
      expect(await countFrom(10, 5_000)).toBe(3);
      expect(await countFrom(10, 1e9)).toBe(10);
    });

    test('goes beyond what was trimmed', async () => {
      const log = await aLog();
      await log.append(events(10));
      await log.trim(offset(6));
      const limits = { entriesMax: 2, bytesMax: Infinity };
      expect(await log.read(START, offset(4), limits)).toMatchObject({ entries: [], upTo: 4 });
      expect(await log.read(START, offset(10), limits)).toMatchObject({ upTo: 8, lost: 0 });
    });

    test('what was trimmed is not found, what follows is', async () => {
      const log = await aLog();
      await log.append(events(10));
      await log.trim(offset(6));
      expect(values(await readSome(log, offset(2), offset(8), 100))).toEqual([7, 8]);
      expect(values(await readSome(log, offset(2), offset(6), 100))).toEqual([]);
      expect(values(await readSome(log, START, offset(10), 3))).toEqual([7, 8, 9]);
    });
  });

  describe('offsetAt', () => {
    test('finds the last entry that arrived at a time or before', async () => {
      const log = await aLog();
      // Offsets 1 to 6.
      await log.append([10, 20, 20, 20, 30, 50].map((ms) => anEvent({ arrived: at(ms) })));
      const found = await Promise.all(
        [0, 9, 10, 19, 20, 29, 30, 49, 50, 1e6].map((ms) => log.offsetAt(at(ms))),
      );
      expect(found).toEqual([0, 0, 1, 1, 4, 4, 5, 5, 6, 6]);
    });

    test('goes by the arrival, not by the time', async () => {
      const log = await aLog();
      await log.append([
        anEvent({ arrived: at(10), time: at(900) }),
        anEvent({ arrived: at(20), time: at(1) }),
      ]);
      expect(await log.offsetAt(at(15))).toBe(1);
    });

    test('is where the log was trimmed, when nothing that is left arrived by then', async () => {
      const log = await aLog();
      await log.append(events(5));
      await log.trim(offset(3));
      expect(await log.offsetAt(at(10))).toBe(3);
      expect(await log.offsetAt(at(40))).toBe(4);
      await log.trim(offset(5));
      expect(await log.offsetAt(at(1e6))).toBe(5);
    });
  });

  describe('trim', () => {
    test('removes all entries up to one', async () => {
      const log = await aLog();
      await log.append(events(10));
      await log.trim(offset(4));
      expect(log.state()).toMatchObject({ trimmed: 4, end: 10, entries: 6 });
      expect(values(await readAll(log))).toEqual([5, 6, 7, 8, 9, 10]);
    });

    test('goes no further than the end, and never back', async () => {
      const log = await aLog();
      await log.append(events(10));
      await log.trim(offset(99));
      expect(log.state()).toMatchObject({ trimmed: 10, end: 10, entries: 0 });
      await log.trim(offset(3));
      expect(log.state()).toMatchObject({ trimmed: 10, end: 10 });
    });

    test('an offset is not used again, and the latest arrival stays known, when the log is empty', async () => {
      const log = await aLog();
      const told = toldBy(log);
      await log.append(events(5));
      await log.trim(offset(5));
      expect(log.state()).toMatchObject({ end: 5, lastArrived: at(50) });
      await log.append(events(1, 6));
      expect(told.at(-1)?.offset).toBe(6);
      expect(values(await readAll(log))).toEqual([6]);
    });

    test('a long trim leaves appends and reads their turn', async () => {
      const log = await aLog();
      const told = toldBy(log);
      await log.append(events(20_000));
      const trim = log.trim(offset(19_990));
      await log.append(events(10, 20_001));
      expect(values(await readSome(log, offset(19_990), log.state().end, 100))).toHaveLength(20);
      await trim;
      expect(log.state()).toMatchObject({ trimmed: 19_990, end: 20_010, entries: 20 });
      expect(told).toHaveLength(20_010);
    });

    test('trims at the same time end at the furthest', async () => {
      const log = await aLog();
      await log.append(events(9000));
      await Promise.all([log.trim(offset(8000)), log.trim(offset(100)), log.trim(offset(8500))]);
      expect(log.state()).toMatchObject({ trimmed: 8500, end: 9000, entries: 500 });
    });

    test('again and again, it stays true to what is left', async () => {
      const log = await aLog();
      for (let turn = 0; turn < 50; turn += 1) {
        await log.append(events(20, turn * 20 + 1));
        await log.trim(offset(Math.max(0, turn * 20 - 5)));
        const all = await readAll(log);
        expect(all.map((entry) => entry.offset)).toEqual(values(all));
        expect(all.at(-1)?.offset).toBe(turn * 20 + 20);
        expect(all).toHaveLength(log.state().entries);
      }
    });
  });

  test(
    'the log occupies more with more entries in it, and less after a trim',
    { timeout: 20_000 },
    async () => {
      const log = await aLog();
      const empty = log.state().bytes;
      await log.append(events(5000));
      await expect.poll(() => log.state().bytes, { timeout: 5000 }).toBeGreaterThan(empty + 5000 * 20);
      const full = log.state().bytes;
      await log.trim(offset(5000));
      expect(log.state().bytes).toBeLessThan(full / 2);
    },
  );

  test('a copy is a log with all that was in it, or there is none', async () => {
    const log = await aLog();
    await log.append(events(2000), newIds('a'));
    await log.saveScraper(aScraper());
    await log.saveNote('key', 'text');
    const folder = join(aFolder(), 'copy');
    const copying = log.copyTo(join(folder, 'events.db'));
    await log.append(events(1, 2001));
    if (!(await copying)) {
      expect(existsSync(folder)).toBe(false);
      return;
    }
    const copy = await aSqliteLog({ path: folder });
    expect((await readAll(copy)).slice(0, 2000)).toEqual((await readAll(log)).slice(0, 2000));
    expect(await copy.loadScrapers()).toEqual(await log.loadScrapers());
    expect(await copy.loadNote('key')).toBe('text');
    expect([...(await copy.knownIds(['a', 'b'])).keys()]).toEqual(['a']);
    await copy.append(events(1, 3000));
    expect(log.state().end).toBe(2001);
  });

  describe('scrapers', () => {
    const POSITION = {
      head: offset(7),
      returned: [{ after: offset(2), upTo: offset(3) }],
      offers: [
        {
          id: 3,
          mode: 'untimed',
          phase: 'flushed',
          ranges: [{ after: offset(4), upTo: offset(5) }],
          collapsed: 1,
          requestedAt: at(3),
          timeoutMs: 10_000,
        },
      ],
      endedOnce: [],
      perhapsTimed: [{ after: offset(2), upTo: offset(3) }],
      endsInRow: 3,
      repeats: [],
      moved: [{ after: offset(1), upTo: offset(2), floor: at(2) }],
      halvings: 2,
    } as const;

    test('what is saved is loaded again, whole', async () => {
      const log = await aLog();
      const record = aScraper({ id: 'Ü/"\u0000😀', position: POSITION });
      await log.saveScraper(record);
      expect(await log.loadScrapers()).toEqual([record]);
      expect(log.state().hadScrapers).toBe(true);
    });

    test('a save replaces the version before', async () => {
      const log = await aLog();
      await log.saveScraper(aScraper());
      await log.saveScraper(aScraper({ id: 'other' }));
      await log.saveScraper(aScraper({ version: 2, position: POSITION }));
      expect(await log.loadScrapers()).toHaveLength(2);
      expect(await log.loadScrapers()).toContainEqual(aScraper({ version: 2, position: POSITION }));
    });

    test.each([
      ['the first, where there is one', 2, 1],
      ['the same again', 2, 2],
    ])(
      'a version that is not above the saved one shows that the log has another owner: %s',
      async (_, saved, version) => {
        const log = await aLog();
        for (let next = 1; next <= saved; next += 1) await log.saveScraper(aScraper({ version: next }));
        const before = await log.loadScrapers();
        const told = new Promise<Error>((resolve) => log.onBroken(resolve));
        let isSettled = false;
        const settle = () => (isSettled = true);
        void log.saveScraper(aScraper({ version, address: '10.9.9.9' })).then(settle, settle);
        expect(await told).toBeInstanceOf(OwnershipLostError);
        expect(await log.loadScrapers()).toEqual(before);
        expect(isSettled).toBe(false);
      },
    );

    test('of two saves of one version, the first wins', async () => {
      const log = await aLog();
      const told = new Promise<Error>((resolve) => log.onBroken(resolve));
      void log.saveScraper(aScraper({ address: '10.0.0.1' }));
      void log.saveScraper(aScraper({ address: '10.0.0.2' }));
      expect(await told).toBeInstanceOf(OwnershipLostError);
      expect((await log.loadScrapers()).map((scraper) => scraper.address)).toEqual(['10.0.0.1']);
    });

    test('saves follow each other without waiting', async () => {
      const log = await aLog();
      await Promise.all([1, 2, 3, 4, 5].map((version) => log.saveScraper(aScraper({ version }))));
      expect((await log.loadScrapers())[0]?.version).toBe(5);
    });

    test('a save has happened when the call returns, or whoever loads waits for it', async () => {
      const log = await aLog();
      const save = log.saveScraper(aScraper());
      const loaded = log.loadScrapers();
      expect(log.state().hadScrapers).toBe(savesAtOnce);
      expect(await loaded).toHaveLength(1);
      await save;
    });

    test('one that is deleted is gone, begins again at version 1, and was there once', async () => {
      const log = await aLog();
      await log.saveScraper(aScraper());
      await log.deleteScraper('prometheus-0');
      expect(await log.loadScrapers()).toEqual([]);
      expect(log.state().hadScrapers).toBe(true);
      await log.saveScraper(aScraper());
      expect(await log.loadScrapers()).toHaveLength(1);
    });

    test('deleting one that is not there is fine', async () => {
      const log = await aLog();
      await log.deleteScraper('nobody');
      expect(log.state().hadScrapers).toBe(false);
    });
  });

  describe('notes', () => {
    test('one that was never saved is not there', async () => {
      expect(await (await aLog()).loadNote('none')).toBeUndefined();
    });

    test('each is kept under its key, to the letter, until it is replaced', async () => {
      const log = await aLog();
      await log.saveNote('a', 'first');
      await log.saveNote('b', 'Ü\u0000"😀');
      await log.saveNote('a', 'second');
      expect([await log.loadNote('a'), await log.loadNote('b')]).toEqual(['second', 'Ü\u0000"😀']);
    });

    test('saves of one key follow each other without waiting, and the last stays', async () => {
      const log = await aLog();
      await Promise.all(['1', '2', '3'].map((text) => log.saveNote('a', text)));
      expect(await log.loadNote('a')).toBe('3');
    });

    test('one of a megabyte, or of nothing, is kept whole', async () => {
      const log = await aLog();
      const long = 'ä'.repeat(500_000);
      await log.saveNote('long', long);
      await log.saveNote('empty', '');
      expect((await log.loadNote('long')) === long).toBe(true);
      expect(await log.loadNote('empty')).toBe('');
    });

    test('one is saved when the call returns', async () => {
      const log = await aLog();
      const save = log.saveNote('a', 'text');
      expect(await log.loadNote('a')).toBe('text');
      await save;
    });
  });

  describe('ids', () => {
    const known = async (log: Log, ...ids: string[]): Promise<string[]> => [
      ...(await log.knownIds(ids)).keys(),
    ];

    test('those that came with entries are known, others are not', async () => {
      const log = await aLog();
      await log.append(events(2), newIds('a', 'b'));
      await log.append(events(1, 3));
      expect((await known(log, 'b', 'c', 'a', 'A', 'a ')).toSorted()).toEqual(['a', 'b']);
      expect(log.state()).toMatchObject({ ids: 2, entries: 3 });
      expect(await known(log)).toEqual([]);
    });

    test('many who ask at the same time each hear of their own', async () => {
      const log = await aLog();
      await log.append(
        events(500),
        events(500).map((_, index) => ({ id: `id ${index}`, at: index, count: 1 })),
      );
      const asked = Array.from({ length: 300 }, (_, n) => [`id ${n * 2}`, 'none', `id ${n % 7}`]);
      const heard = await Promise.all(asked.map((ids) => log.knownIds(ids)));
      for (const [n, found] of heard.entries()) {
        const expected = asked[n]?.filter((id) => id !== 'none' && Number(id.slice(3)) < 500);
        expect([...found.keys()]).toEqual([...new Set(expected)]);
        for (const [id, stands] of found)
          expect(stands).toEqual({ first: Number(id.slice(3)) + 1, count: 1 });
      }
    });

    test('an id has the place of the entries that it came with', async () => {
      const log = await aLog();
      await log.append(events(2));
      await Promise.all([
        log.append(events(3, 3), [
          { id: 'all', at: 0, count: 3 },
          { id: 'one', at: 2, count: 1 },
        ]),
        log.append(events(1, 6), [{ id: 'next', at: 0, count: 1 }]),
      ]);
      // It stays what it was.
      await log.append(events(1, 7), newIds('one'));
      await log.refreshIds(['next'], at(1000), at(1000));
      expect(await log.knownIds(['all', 'one', 'next', 'none'])).toEqual(
        new Map([
          ['all', { first: 3, count: 3 }],
          ['one', { first: 5, count: 1 }],
          ['next', { first: 6, count: 1 }],
        ]),
      );
    });

    test('any text is an id, and near ones are told apart', async () => {
      const log = await aLog();
      const ids = ['', ' ', 'é', 'e\u0301', '\u0000', 'x'.repeat(5000), `${'x'.repeat(4999)}y`, '0', '00'];
      await log.append(events(1), newIds(...ids.slice(0, 6)));
      expect(await known(log, ...ids)).toEqual(ids.slice(0, 6));
    });

    test('ids without entries are not remembered', async () => {
      const log = await aLog();
      await log.append([], newIds('a'));
      expect(await known(log, 'a')).toEqual([]);
      expect(log.state().ids).toBe(0);
    });

    test('an id that is brought again stays one, and does not keep its entry out', async () => {
      const log = await aLog();
      await log.append(events(1), newIds('a'));
      await Promise.all([
        log.append(events(1, 2), newIds('a', 'b', 'b')),
        log.append(events(1, 3), newIds('b', 'c')),
      ]);
      expect(log.state()).toMatchObject({ ids: 3, entries: 3 });
      expect(await log.forgetIds(at(15), 10)).toBe(0);
      expect(await known(log, 'a', 'b', 'c')).toEqual(['b', 'c']);
    });

    test('those that arrived before a moment are forgotten, as many as there are', async () => {
      const log = await aLog();
      await log.append(
        [anEvent({ arrived: at(10) })],
        newIds(...Array.from({ length: 3000 }, (_, n) => `old ${n}`)),
      );
      await log.append([anEvent({ arrived: at(20) })], newIds('new'));
      expect(await log.forgetIds(at(10), 100_000)).toBe(0);
      expect(log.state().ids).toBe(3001);
      expect(await log.forgetIds(at(20), 100_000)).toBe(0);
      expect(log.state().ids).toBe(1);
      expect(await known(log, 'old 0', 'old 2999', 'new')).toEqual(['new']);
      await log.append([anEvent({ arrived: at(30) })], newIds('old 0'));
      expect(await known(log, 'old 0')).toEqual(['old 0']);
    });

    test('beyond the most that may be kept the oldest are forgotten, and counted', async () => {
      const log = await aLog();
      for (let n = 0; n < 10; n += 1) await log.append([anEvent({ arrived: at(n) })], newIds(`id ${n}`));
      expect(await log.forgetIds(at(2), 3)).toBe(5);
      expect(log.state().ids).toBe(3);
      expect(await known(log, 'id 6', 'id 7', 'id 8', 'id 9')).toEqual(['id 7', 'id 8', 'id 9']);
      expect(await log.forgetIds(at(2), 3)).toBe(0);
      expect(await log.forgetIds(at(100), 3)).toBe(0);
      expect(log.state().ids).toBe(0);
    });

    test('those that are refreshed count as arrived then, if they are known and old enough', async () => {
      const log = await aLog();
      for (const n of [1, 2, 3, 4]) await log.append([anEvent({ arrived: at(n) })], newIds(`id ${n}`));
      await log.refreshIds(['id 1', 'id 3', 'unknown'], at(3), at(10));
      expect(log.state().ids).toBe(4);
      expect(await known(log, 'unknown')).toEqual([]);
      // What comes after it is newer, whatever its clock says.
      await log.append([anEvent({ arrived: at(5) })], newIds('id 5'));
      expect(await log.forgetIds(at(3), 10)).toBe(0);
      expect(await known(log, 'id 1', 'id 2', 'id 3', 'id 4', 'id 5')).toEqual([
        'id 1',
        'id 3',
        'id 4',
        'id 5',
      ]);
      expect(await log.forgetIds(at(0), 1)).toBe(3);
      expect(await known(log, 'id 1', 'id 5')).toEqual(['id 5']);
      expect(log.state().ids).toBe(1);
    });

    test('a trim forgets no id', async () => {
      const log = await aLog();
      await log.append(events(3), newIds('a'));
      await log.trim(offset(3));
      expect(await known(log, 'a')).toEqual(['a']);
    });
  });

  describe('disposing', () => {
    test('waits for what is under way', async () => {
      const log = place()();
      await log.start();
      const told = toldBy(log);
      const settled: string[] = [];
      const calls = [
        log.append(events(3)).then(() => settled.push('append')),
        log.saveScraper(aScraper()).then(() => settled.push('save')),
        log.saveNote('a', 'text').then(() => settled.push('note')),
        log.forgetIds(at(0), 0).then(() => settled.push('ids')),
      ];
      await log[Symbol.asyncDispose]();
      await Promise.all(calls);
      expect(settled.toSorted()).toEqual(['append', 'ids', 'note', 'save']);
      expect(values(told)).toEqual([1, 2, 3]);
    });

    test('closes the log: nothing works afterwards, and a second time is fine', async () => {
      const log = place()();
      await log.start();
      await Promise.all([log[Symbol.asyncDispose](), log[Symbol.asyncDispose]()]);
      await log[Symbol.asyncDispose]();
      expect(() => log.state()).toThrow('not open');
      await expect(log.append(events(1))).rejects.toThrow('not open');
      await expect(log.trim(offset(1))).rejects.toThrow('not open');
      await expect(readAll(log)).rejects.toThrow('not open');
    });
  });

  // What is not there can't be skipped: a log in memory has no restart.
  if (!isPersistent) return;
  describe('a restart', () => {
    test('finds everything, and tells none of it', async () => {
      const open = place();
      let before;
      let state;
      {
        await using log = open();
        await log.start();
        await log.append(events(10), newIds('b', 'a', 'c'));
        await log.refreshIds(['b'], at(1_000_000), at(1_000_000));
        await log.forgetIds(at(0), 2);
        await log.trim(offset(4));
        await log.saveScraper(aScraper());
        await log.saveNote('a', 'text');
        before = await readAll(log);
        state = log.state();
      }
      const log = open();
      const told = toldBy(log);
      await started(log);
      expect(await readAll(log)).toEqual(before);
      expect(log.state()).toEqual({ ...state, bytes: expect.any(Number) });
      expect(await log.loadScrapers()).toEqual([aScraper()]);
      expect(await log.loadNote('a')).toBe('text');
      expect([...(await log.knownIds(['a', 'b', 'c', 'd'])).keys()]).toEqual(['b', 'c']);
      expect((await log.knownIds(['b'])).get('b')).toEqual({ first: 1, count: 1 });
      expect(await log.forgetIds(at(1_000_000), 2)).toBe(0);
      expect([...(await log.knownIds(['b', 'c'])).keys()]).toEqual(['b']);
      await log.append(events(1, 11), newIds('d'));
      expect(await log.forgetIds(at(0), 1)).toBe(1);
      expect([...(await log.knownIds(['a', 'b', 'c', 'd'])).keys()]).toEqual(['d']);
      expect(values(told)).toEqual([11]);
    });

    test('uses no offset again and knows the latest arrival, though the log is empty', async () => {
      const open = place();
      {
        await using log = open();
        await log.start();
        await log.append(events(5));
        await log.trim(offset(5));
        await log.saveScraper(aScraper());
        await log.deleteScraper('prometheus-0');
      }
      const log = await started(open());
      expect(log.state()).toMatchObject({ trimmed: 5, end: 5, lastArrived: at(50), hadScrapers: true });
      await log.append([anEvent({ series: 'next' })]);
      expect((await readAll(log))[0]?.offset).toBe(6);
    });

    test('finds what was queued when the log was disposed of', async () => {
      const open = place();
      const first = open();
      await first.start();
      const calls = [first.append(events(3)), first.append(events(3, 4)), first.trim(offset(0))];
      await first[Symbol.asyncDispose]();
      await Promise.all(calls);
      const second = await started(open());
      expect(values(await readAll(second))).toEqual([1, 2, 3, 4, 5, 6]);
    });
  });
});
