import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { logFiles } from '../../src/app/logFiles.ts';
import { UnavailableError } from '../../src/core/errors.ts';
import { offset, START } from '../../src/core/offset.ts';
import type { Damage } from '../../src/log/log.ts';
import { positionAt } from '../../src/core/position.ts';
import { LogOpenError } from '../../src/log/log.ts';
import { SqliteLog } from '../../src/log/sqlite/sqliteLog.ts';
import {
  anEvent,
  aScraper,
  at,
  events,
  newIds,
  readAll,
  readSome,
  settles,
  values,
} from './support/builders.ts';
import { aFolder } from './support/folders.ts';
import { aSqliteLog, started } from './support/logs.ts';
import { damagePages, leafPages, pagesByPlace } from '../support/damage.ts';
import { Harness } from '../support/harness.ts';

/** A sync that waits to be let go, or to fail. */
function heldSync() {
  const held: PromiseWithResolvers<void>[] = [];
  let isHolding = false;
  return {
    sync: (): Promise<void> => {
      if (!isHolding) return Promise.resolve();
      const one = Promise.withResolvers<void>();
      held.push(one);
      return one.promise;
    },
    hold: () => (isHolding = true),
    /** Syncs that were begun since `hold`. */
    begun: () => held.length,
    letGo: (index: number) => held[index]?.resolve(),
    fail: (index: number) => held[index]?.reject(new Error('EIO: i/o error, fdatasync')),
  };
}

/** Changes the file of a log that is closed. */
function change(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, 'events.db'));
  db.exec(sql);
  db.close();
}

async function aClosedLog(): Promise<string> {
  const path = aFolder();
  await using log = new SqliteLog({ path, durability: 'power' });
  await log.start();
  await log.append(events(3));
  await log.saveScraper(aScraper());
  return path;
}

async function startError(path: string): Promise<unknown> {
  const log = new SqliteLog({ path, durability: 'power' });
  return log.start().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Makes a log one of a schema before. */
const toSchema = (schema: number, columns: string, read: string) => `ALTER TABLE ids RENAME TO newer_ids;
  CREATE TABLE ids (place INTEGER PRIMARY KEY, arrived INTEGER NOT NULL, ${columns}) STRICT;
  INSERT INTO ids SELECT place, arrived, ${read} FROM newer_ids;
  DROP TABLE newer_ids;
  PRAGMA user_version = ${schema};
  VACUUM`;
const TO_SCHEMA_5 = toSchema(5, 'hash BLOB NOT NULL UNIQUE', 'hash');
const TO_SCHEMA_6 = toSchema(
  6,
  'hash BLOB NOT NULL, part INTEGER NOT NULL, entry INTEGER, count INTEGER, UNIQUE (part, hash)',
  'hash, place / 512, entry, count',
);

describe('opening', () => {
  test('makes the folder where it is missing, and leaves the database and its mark when closed', async () => {
    const path = join(aFolder(), 'a', 'b');
    await using log = new SqliteLog({ path, durability: 'power' });
    expect(existsSync(path)).toBe(false);
    await log.start();
    expect(readdirSync(path).toSorted()).toEqual(['events.db', 'events.db-wal', 'events.end']);
    await log[Symbol.asyncDispose]();
    expect(readdirSync(path).toSorted()).toEqual(['events.db', 'events.end']);
  });

  test('an empty file is a new log', async () => {
    const path = aFolder();
    writeFileSync(join(path, 'events.db'), '');
    const log = await aSqliteLog({ path });
    await log.append(events(1));
    expect(log.state().end).toBe(1);
  });

  test('a log that is in use is refused at once, and the first goes on', async () => {
    const path = aFolder();
    const first = await aSqliteLog({ path });
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toContain('another process has it open');
    expect(String(error)).toContain(join(path, 'events.db'));
    await first.append(events(2));
    expect(values(await readAll(first))).toEqual([1, 2]);
    expect(String(await startError(path))).toContain('another process has it open');
  });

  test.each([
    ['a long text', 'Nothing of this is a database. '.repeat(1000)],
    ['a short text', 'hello'],
    ['zeros', '\0'.repeat(8192)],
  ])('a file that is no database is reported and left as it is: %s', async (_, content) => {
    const path = aFolder();
    writeFileSync(join(path, 'events.db'), content);
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toMatch(/events\.db: it is not a database; move it away/);
    expect(readdirSync(path)).toEqual(['events.db']);
    expect(readFileSync(join(path, 'events.db'), 'utf8')).toBe(content);
  });

  test.each([
    [5, TO_SCHEMA_5, undefined],
    [6, TO_SCHEMA_6, { first: 4, count: 1 }],
  ])('a log of schema %i is brought up to date: its ids are known', async (schema, toOlder, place) => {
    const path = await aClosedLog();
    const old = await aSqliteLog({ path });
    const { end } = old.state();
    await old.append(events(2, 100), newIds('a', 'b'));
    await old[Symbol.asyncDispose]();
    change(path, toOlder);
    expect(logFiles.check(path)).toMatchObject({ isWell: true, schema, ids: 2 });
    const log = await aSqliteLog({ path });
    expect(log.state()).toMatchObject({ end: end + 2, ids: 2 });
    await log.append(events(1, 102), newIds('a', 'c'));
    expect(await log.knownIds(['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', place],
        ['b', place],
        ['c', { first: end + 3, count: 1 }],
      ]),
    );
    await log[Symbol.asyncDispose]();
    expect(logFiles.check(path)).toMatchObject({ isWell: true, schema: 7, ids: 3 });
  });

  test.each([
    [5, TO_SCHEMA_5],
    [6, TO_SCHEMA_6],
  ])(
    'a log of schema %i is brought up to date where its ids are damaged, and none is lost',
    async (_schema, toOlder) => {
      const path = await aClosedLog();
      const old = await aSqliteLog({ path });
      const ids = Array.from({ length: 2000 }, (_, n) => `id ${n}`);
      await old.append(events(2), newIds(...ids));
      await old[Symbol.asyncDispose]();
      change(path, toOlder);
      const file = join(path, 'events.db');
      const whole = readFileSync(file);
      for (const place of ['ids leaf', 'ids internal'] as const) {
        damagePages(file, [pagesByPlace(file).get(place)?.[0] as number]);
        const log = new SqliteLog({ path, durability: 'power' });
        const repairs: unknown[] = [];
        log.onRepair((repair) => repairs.push(repair));
        await log.start();
        expect((await log.knownIds(ids)).size).toBe(2000);
        expect(repairs).toEqual([{ part: 'ids', lost: 0 }]);
        expect((await readAll(log)).length).toBe(5);
        await log[Symbol.asyncDispose]();
        expect(logFiles.check(path)).toMatchObject({ schema: 7, ids: 2000 });
        writeFileSync(file, whole);
        rmSync(join(path, 'events.end'));
      }
    },
  );

  test.each([4, 8])('a log of schema %i is refused and left as it is', async (schema) => {
    const path = await aClosedLog();
    change(path, `PRAGMA user_version = ${schema}`);
    const before = readFileSync(join(path, 'events.db'));
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toContain(
      `another version wrote it (schema ${schema}, but this version supports only 5 to 7); use that version, or`,
    );
    expect(readFileSync(join(path, 'events.db')).equals(before)).toBe(true);
  });

  test('an id whose hash was cut hides no other', async () => {
    const path = aFolder();
    const log = await started(new SqliteLog({ path, durability: 'process' }));
    const ids = Array.from({ length: 20 }, (_, n) => `id ${n}`);
    await log.append(events(20), newIds(...ids));
    await log[Symbol.asyncDispose]();
    change(path, "UPDATE ids SET hash = x'00' WHERE place = 3");
    change(path, "UPDATE ids SET hash = x'' WHERE place = 5");
    const again = await started(new SqliteLog({ path, durability: 'process' }));
    expect([...(await again.knownIds(ids)).keys()]).toEqual(ids.filter((_, n) => n !== 2 && n !== 4));
  });

  test("another application's database is refused and left as it is", async () => {
    const path = aFolder();
    change(path, 'CREATE TABLE theirs (x)');
    const before = readFileSync(join(path, 'events.db'));
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toContain('another application');
    expect(readFileSync(join(path, 'events.db')).equals(before)).toBe(true);
    expect(readdirSync(path)).toEqual(['events.db']);
  });

  test('damaged pages are reported', async () => {
    const path = await aClosedLog();
    const file = join(path, 'events.db');
    const content = readFileSync(file);
    content.fill(0x5a, 100);
    writeFileSync(file, content);
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toMatch(/damaged .*restore the file from a backup/);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test.each(['{"id":', 'null', '{"position":null}'])('a damaged scraper is reported: %s', async (record) => {
    const path = await aClosedLog();
    change(path, `UPDATE scrapers SET record = '${record}'`);
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toContain('the record of scraper "prometheus-0" is damaged');
  });

  test('a place that can not be written is reported', async () => {
    const path = join(aFolder(), 'file');
    writeFileSync(path, '');
    const error = await startError(path);
    expect(error).toBeInstanceOf(LogOpenError);
    expect(String(error)).toContain(path);
  });

  test('what an earlier process left unsynced is synced before the start is over', async () => {
    const path = await aClosedLog();
    const { sync, hold, begun, letGo } = heldSync();
    hold();
    await using log = new SqliteLog({ path, durability: 'power', sync });
    const start = log.start();
    await expect.poll(begun).toBe(1);
    expect(await settles(start)).toBe(false);
    letGo(0);
    await start;
  });
});

describe('blocks', () => {
  /** A closed log with blocks of so many entries. Returns how many these are in all. */
  async function aLogOf(path: string, sizes: readonly number[]): Promise<number> {
    const log = await aSqliteLog({ path });
    let end = 0;
    for (const size of sizes) {
      await log.append(events(size, end + 1));
      end += size;
    }
    await log[Symbol.asyncDispose]();
    return end;
  }

  const blocksIn = (folder: string): unknown[] => {
    const db = new DatabaseSync(join(folder, 'events.db'), { readOnly: true });
    const blocks = db.prepare('SELECT last, count FROM blocks ORDER BY last').all();
    db.close();
    return blocks.map(({ last, count }) => [last, count]);
  };

  test('what is committed together is a block, up to a thousand entries', async () => {
    const path = aFolder();
    const log = await aSqliteLog({ path });
    await log.append(events(1));
    await Promise.all([log.append(events(2, 2)), log.append(events(3, 4))]);
    await log.append(events(2100, 7));
    await log[Symbol.asyncDispose]();
    expect(blocksIn(path)).toEqual([
      [1, 1],
      [6, 5],
      [1006, 1000],
      [2006, 1000],
      [2106, 100],
    ]);
  });

  test('one that is trimmed in part stays, hides what is trimmed after a restart too, and goes with its last entry', async () => {
    const path = aFolder();
    const log = await aSqliteLog({ path });
    await log.append(events(10));
    await log.append(events(5, 11));
    await log.trim(offset(9));
    await log[Symbol.asyncDispose]();
    expect(blocksIn(path)).toHaveLength(2);
    const again = await aSqliteLog({ path });
    expect(again.state()).toMatchObject({ trimmed: 9, end: 15, entries: 6 });
    expect(values(await readAll(again))).toEqual([10, 11, 12, 13, 14, 15]);
    expect(await Promise.all([50, 99, 100, 110].map((ms) => again.offsetAt(at(ms))))).toEqual([9, 9, 10, 11]);
    await again.trim(offset(12));
    expect(values(await readAll(again))).toEqual([13, 14, 15]);
    await again[Symbol.asyncDispose]();
    expect(blocksIn(path)).toEqual([[15, 5]]);
    const last = await aSqliteLog({ path });
    await last.trim(offset(15));
    expect(last.state()).toMatchObject({ trimmed: 15, end: 15, lastArrived: at(150) });
    await last[Symbol.asyncDispose]();
    expect(blocksIn(path)).toEqual([]);
    expect((await aSqliteLog({ path })).state()).toMatchObject({
      trimmed: 15,
      end: 15,
      lastArrived: at(150),
    });
  });

  test('pages, places and trims go by entries, whatever the sizes of the blocks', async () => {
    const log = await aSqliteLog();
    let end = 0;
    for (const size of [1, 1, 1, 7, 1, 30, 2, 1, 1, 100, 1]) {
      await log.append(events(size, end + 1));
      end += size;
    }
    for (let trimmed = 0; trimmed < end; trimmed += 11) {
      await log.trim(offset(trimmed));
      for (let after = 0; after < end; after += 5) {
        for (const most of [1, 3, 40, 1000]) {
          const from = Math.max(after, trimmed);
          const upTo = Math.min(end, after + 60);
          const expected = Array.from(
            { length: Math.max(0, Math.min(most, upTo - from)) },
            (_, i) => from + 1 + i,
          );
          expect(values(await readSome(log, offset(after), offset(upTo), most))).toEqual(expected);
        }
        expect(await log.offsetAt(at(after * 10 + 9))).toBe(Math.max(after, trimmed));
        expect(await log.offsetAt(at(after * 10))).toBe(Math.max(after, trimmed));
      }
    }
  });

  test('a block that is damaged is passed over whole, and no other is', async () => {
    const path = aFolder();
    await aLogOf(path, [3, 3, 3]);
    change(path, "UPDATE blocks SET text = replace(text, 'prod', 'prox') WHERE last = 6");
    const log = await aSqliteLog({ path });
    const damages: Damage[] = [];
    log.onDamage((damage) => damages.push(damage));
    const limits = { entriesMax: 100, bytesMax: Infinity };
    for (let round = 0; round < 2; round += 1) {
      const { entries, upTo, lost } = await log.read(START, offset(9), limits);
      expect([values(entries), upTo, lost]).toEqual([[1, 2, 3, 7, 8, 9], 9, 3]);
    }
    expect(await log.read(offset(4), offset(5), limits)).toEqual({ entries: [], upTo: 5, lost: 1 });
    expect(await log.read(offset(2), offset(9), { entriesMax: 2, bytesMax: 1e9 })).toMatchObject({
      upTo: 4,
      lost: 1,
    });
    expect(damages).toEqual([{ after: 3, upTo: 6, why: 'damaged' }]);
    expect(JSON.parse(readFileSync(join(path, 'damaged', 'block-6.json'), 'utf8'))).toMatchObject({
      last: 6,
      count: 3,
      text: expect.stringContaining('prox'),
    });
  });

  test.each([
    ['missing', 'DELETE FROM blocks WHERE last = 6'],
    ['shorter than it was', 'UPDATE blocks SET count = 2 WHERE last = 6'],
    ['longer than it was', 'UPDATE blocks SET count = 5 WHERE last = 6'],
    ['of another text', "UPDATE blocks SET text = '1 m' WHERE last = 6"],
    ['of another time', 'UPDATE blocks SET arrived = arrived + 1 WHERE last = 6'],
    ['of no number that there is', `UPDATE blocks SET count = ${2n ** 60n} WHERE last = 6`],
  ])('a block that is %s keeps nobody from the others', async (_, sql) => {
    const path = aFolder();
    await aLogOf(path, [3, 3, 3]);
    change(path, sql);
    const log = await aSqliteLog({ path });
    const { entries, upTo, lost } = await log.read(START, offset(9), { entriesMax: 100, bytesMax: Infinity });
    expect([values(entries), upTo, lost]).toEqual([[1, 2, 3, 7, 8, 9], 9, 3]);
    expect(await log.offsetAt(at(85))).toBe(8);
    expect(await log.offsetAt(at(25))).toBe(2);
    await log.trim(offset(5));
    expect(values(await readAll(log))).toEqual([7, 8, 9]);
    await log.append(events(1, 10));
    expect(values(await readAll(log))).toEqual([7, 8, 9, 10]);
  });

  test.each([
    ['text', "UPDATE blocks SET text = 'x' WHERE last = 9"],
    ['count', 'UPDATE blocks SET count = 1 WHERE last = 9'],
  ])('offsets go on behind a last block whose %s is damaged', async (_, sql) => {
    const path = aFolder();
    await aLogOf(path, [3, 3, 3]);
    change(path, sql);
    const log = await aSqliteLog({ path });
    expect(log.state()).toMatchObject({ end: 9, lastArrived: at(60) });
    await log.append(events(1, 10));
    const { entries, lost } = await log.read(START, offset(10), { entriesMax: 100, bytesMax: Infinity });
    expect([entries.map((entry) => entry.offset), lost]).toEqual([[1, 2, 3, 4, 5, 6, 10], 3]);
  });

  test('pages that SQLite can not read are passed over, and no more than what stands on them', async () => {
    const path = aFolder();
    const sizes = Array.from({ length: 400 }, (_, index) => 1 + (index % 7));
    const all = await aLogOf(path, sizes);
    const file = join(path, 'events.db');
    const pages = leafPages(file, 'deploys{');
    expect(pages.length).toBeGreaterThan(8);
    // Not the last, on which the next block would be written.
    for (const damaged of [[pages[0]], [pages[3]], [pages[2], pages[5]], pages.slice(1, 4)]) {
      const before = readFileSync(file);
      damagePages(file, damaged as number[]);
      const log = await aSqliteLog({ path });
      const { entries, upTo, lost } = await log.read(START, offset(all), { entriesMax: 1e6, bytesMax: 1e9 });
      expect(upTo).toBe(all);
      expect(entries.length + lost).toBe(all);
      // A page holds the blocks of about so many entries.
      expect(lost).toBeGreaterThan(0);
      expect(lost).toBeLessThan((all / pages.length) * (damaged.length + 3));
      expect(
        entries.every((entry, index) => index === 0 || entry.offset > (entries[index - 1]?.offset ?? 0)),
      ).toBe(true);
      expect(await log.offsetAt(at(all * 10))).toBe(all);
      await log.offsetAt(at(all * 5));
      await log.append(events(1, all + 1));
      await log.trim(offset(all - 1));
      expect(values(await readAll(log))).toEqual([all, all + 1]);
      await log[Symbol.asyncDispose]();
      writeFileSync(file, before);
      // It speaks of an entry that is not in there.
      rmSync(join(path, 'events.end'));
    }
  });
});

describe('the end of the log', () => {
  const limits = { entriesMax: 100, bytesMax: Infinity };

  test('that is missing is told, counted as lost, and no offset of it is given again', async () => {
    const path = aFolder();
    const log = await aSqliteLog({ path });
    await log.append(events(5));
    await log[Symbol.asyncDispose]();
    change(path, 'DELETE FROM blocks');
    const again = new SqliteLog({ path, durability: 'power' });
    const damages: Damage[] = [];
    again.onDamage((damage) => damages.push(damage));
    await started(again);
    expect(damages).toMatchObject([{ after: 0, upTo: 5 }]);
    const { end } = again.state();
    expect(end).toBeGreaterThan(5);
    expect(await again.read(START, end, limits)).toEqual({ entries: [], upTo: end, lost: 5 });
    await again.append(events(2, 6));
    expect(await again.read(START, offset(end + 2), limits)).toMatchObject({ upTo: end, lost: 5 });
    expect(
      values((await again.read(offset(3), offset(end + 2), { ...limits, entriesMax: 1e4 })).entries),
    ).toEqual([6, 7]);
    expect(await again.offsetAt(at(65))).toBe(end + 1);
    await again[Symbol.asyncDispose]();
    // Once.
    const third = await aSqliteLog({ path });
    expect(third.state().end).toBe(end + 2);
    await third.trim(offset(end + 1));
    expect(values(await readAll(third))).toEqual([7]);
  });

  test('is also known by what scrapers had', async () => {
    const path = aFolder();
    const log = await aSqliteLog({ path });
    await log.append(events(5));
    await log.saveScraper(aScraper({ position: positionAt(offset(4)) }));
    await log[Symbol.asyncDispose]();
    change(path, 'DELETE FROM blocks');
    rmSync(join(path, 'events.end'));
    const again = await aSqliteLog({ path });
    expect(again.state().end).toBeGreaterThan(4);
    expect(await again.read(START, again.state().end, limits)).toMatchObject({ lost: 4 });
  });

  const whole = (end: string) => `end ${end} crc ${crc32(end).toString(16)}`;
  test.each([
    '',
    'end 9 crc 1',
    'nonsense',
    'end 99999999999999999999 crc 0',
    whole('9007199254740991'),
    whole('9999999999999999'),
  ])('a mark that says nothing keeps nobody from the log: %j', async (mark) => {
    const path = await aClosedLog();
    writeFileSync(join(path, 'events.end'), mark);
    expect((await aSqliteLog({ path })).state().end).toBe(3);
    expect(readFileSync(join(path, 'events.end'), 'latin1')).toMatch(/^end 3 crc /);
  });

  test('of a log that was moved away says nothing of a new one', async () => {
    const path = await aClosedLog();
    rmSync(join(path, 'events.db'));
    expect((await aSqliteLog({ path })).state().end).toBe(0);
  });
});

describe('group commit', () => {
  test('an append resolves, tells and shows only after its sync', async () => {
    const { sync, hold, begun, letGo } = heldSync();
    const log = await aSqliteLog({ sync });
    let told = 0;
    log.onCommitted((entries) => (told += entries.length));
    hold();
    const append = log.append(events(2));
    await expect.poll(begun).toBe(1);
    expect(await settles(append)).toBe(false);
    expect(told).toBe(0);
    expect(log.state()).toMatchObject({ end: 0, entries: 0, lastArrived: 0 });
    expect(await readAll(log)).toEqual([]);
    letGo(0);
    await append;
    expect(told).toBe(2);
    expect(log.state().end).toBe(2);
  });

  test('what comes in during a sync shares the next one', async () => {
    const { sync, hold, begun, letGo } = heldSync();
    const log = await aSqliteLog({ sync });
    hold();
    const first = log.append(events(1));
    await expect.poll(begun).toBe(1);
    const others = Array.from({ length: 50 }, (_, index) => log.append(events(1, index + 2)));
    const save = log.saveScraper(aScraper());
    letGo(0);
    await first;
    await expect.poll(begun).toBe(2);
    expect(await settles(Promise.race([...others, save]))).toBe(false);
    letGo(1);
    await Promise.all([...others, save]);
    expect(begun()).toBe(2);
    expect(values(await readAll(log))).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
  });

  test('those who were answered together are waited for when some of them come again, for some turns of the event loop', async () => {
    let syncs = 0;
    const log = await aSqliteLog({ sync: async () => void (syncs += 1) });
    const turns = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const together = (count: number) => Array.from({ length: count }, () => log.append([anEvent()]));
    await Promise.all(together(4));
    syncs = 0;
    // One comes at each turn: they are a group of four.
    const late = [0, 1, 2, 3].map(async (turn) => {
      await turns(turn);
      await log.append([anEvent()]);
    });
    await Promise.all(late);
    expect(syncs).toBe(1);
    // One comes alone: a turn that brings nobody is enough.
    let isDone = false;
    const alone = log.append([anEvent()]).then(() => (isDone = true));
    await turns(3);
    expect(isDone).toBe(true);
    await alone;
    expect(syncs).toBe(2);
    // Many come, turn by turn: nobody waits for the last of them.
    await Promise.all(together(100));
    syncs = 0;
    const first = log.append([anEvent()]);
    const others: Promise<unknown>[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      await turns(1);
      others.push(log.append([anEvent()]));
    }
    expect(await settles(first, 0)).toBe(true);
    await Promise.all(others);
    expect(syncs).toBeGreaterThan(2);
  });

  test('a save that is committed during a sync waits for the next one', async () => {
    const { sync, hold, begun, letGo } = heldSync();
    const log = await aSqliteLog({ sync });
    hold();
    const append = log.append(events(1));
    await expect.poll(begun).toBe(1);
    const save = log.saveScraper(aScraper());
    letGo(0);
    await append;
    expect(await settles(save)).toBe(false);
    letGo(1);
    await save;
  });

  test('many concurrent appends need few syncs', async () => {
    let syncs = 0;
    const log = await aSqliteLog({
      sync: async (file) => {
        syncs += 1;
        await file.datasync();
      },
    });
    const caller = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) await log.append([anEvent()]);
    };
    await Promise.all(Array.from({ length: 64 }, caller));
    expect(log.state().end).toBe(1280);
    expect(syncs).toBeLessThan(60);
  });

  test('durability `process` syncs nothing', async () => {
    let syncs = 0;
    const log = await aSqliteLog({ durability: 'process', sync: async () => void (syncs += 1) });
    await log.append(events(3));
    await log.saveScraper(aScraper());
    expect(syncs).toBe(0);
  });

  test('the file that is synced stays the WAL through checkpoints and restarts of it', async () => {
    const path = aFolder();
    const inodes = new Set<number>();
    const log = await aSqliteLog({
      path,
      sync: async (file) => {
        const synced = await file.stat();
        expect(synced.nlink).toBe(1);
        inodes.add(synced.ino);
        await file.datasync();
      },
    });
    // About 30 MB through a WAL that is checkpointed every 4 MB.
    const series = `m{a="${'x'.repeat(1000)}"}`;
    for (let turn = 0; turn < 30; turn += 1) {
      await log.append(Array.from({ length: 1000 }, () => anEvent({ series })));
    }
    expect(inodes.size).toBe(1);
    expect(readFileSync(join(path, 'events.db-wal')).length).toBeLessThan(12 * 1024 * 1024);
  });

  test('a failed sync breaks the log once: nobody who waits is answered, nothing is told', async () => {
    const { sync, hold, begun, fail } = heldSync();
    const log = await aSqliteLog({ sync });
    await log.append(events(1));
    const causes: Error[] = [];
    let told = 0;
    log.onBroken((cause) => causes.push(cause));
    log.onCommitted(() => (told += 1));
    hold();
    const append = log.append(events(1));
    await expect.poll(begun).toBe(1);
    const queued = [log.append(events(1)), log.saveScraper(aScraper())];
    fail(0);
    await expect.poll(() => causes.length).toBe(1);
    const later = [log.append(events(1)), log.saveScraper(aScraper({ id: 'later' })), log.trim(offset(1))];
    expect(await settles(Promise.race([append, ...queued, ...later]))).toBe(false);
    expect(causes.map((cause) => cause.message)).toEqual(['EIO: i/o error, fdatasync']);
    expect(begun()).toBe(1);
    expect(told).toBe(0);
    expect(log.state().end).toBe(1);
  });

  test('a broken log can be closed', async () => {
    const { sync, hold, begun, fail } = heldSync();
    const log = await aSqliteLog({ sync });
    hold();
    void log.append(events(1));
    await expect.poll(begun).toBe(1);
    const dispose = log[Symbol.asyncDispose]();
    fail(0);
    await dispose;
  });

  test('a write that fails otherwise than for want of room breaks the log', async () => {
    const log = await aSqliteLog();
    const causes: Error[] = [];
    log.onBroken((cause) => causes.push(cause));
    const append = log.append([anEvent({ time: 0.5 as never })]);
    await expect.poll(() => causes.length).toBe(1);
    expect(await settles(append)).toBe(false);
  });
});

describe('a full log', () => {
  const PAGES = 60;
  const LARGE = `m{a="${'x'.repeat(3000)}"}`;

  async function aFullLog(path = aFolder()): Promise<SqliteLog> {
    const log = await aSqliteLog({ path, pagesMax: PAGES });
    await log.saveScraper(aScraper());
    const fill = async (): Promise<never> => {
      for (;;) await log.append([anEvent({ series: LARGE })]);
    };
    await expect(fill()).rejects.toThrow(UnavailableError);
    return log;
  }

  test('refuses an append, stores nothing of it, and stays readable', async () => {
    const log = await aFullLog();
    const { end } = log.state();
    expect(end).toBeGreaterThan(10);
    const told: unknown[] = [];
    log.onCommitted((entries) => told.push(...entries));
    const error: unknown = await log
      .append([anEvent(), ...Array.from({ length: 100 }, () => anEvent({ series: LARGE }))])
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ reason: 'log_full', retryAfterSeconds: 5 });
    expect(told).toEqual([]);
    expect(log.state()).toMatchObject({ end, entries: end });
    expect(await readAll(log)).toHaveLength(end);
  });

  test('a call that has no room takes no other of its group with it', async () => {
    const log = await aSqliteLog({ pagesMax: PAGES });
    const large = Array.from({ length: 200 }, () => anEvent({ series: LARGE }));
    const outcomes = await Promise.allSettled([
      log.append(events(1)),
      log.append(large),
      log.append(events(2, 2)),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const all = await readAll(log);
    expect(values(all)).toEqual([1, 2, 3]);
    expect(all.map((entry) => entry.offset)).toEqual([1, 2, 3]);
  });

  test('remembers no id of a call that has no room', async () => {
    const log = await aSqliteLog({ pagesMax: PAGES });
    const large = Array.from({ length: 200 }, () => anEvent({ series: LARGE }));
    const outcomes = await Promise.allSettled([
      log.append(events(1), newIds('a')),
      log.append(large, newIds('b', 'c')),
      log.append(events(2, 2), newIds('d')),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([...(await log.knownIds(['a', 'b', 'c', 'd'])).keys()]).toEqual(['a', 'd']);
    await log.append(events(1, 4), newIds('b'));
    expect(await log.forgetIds(at(0), 1)).toBe(2);
    expect([...(await log.knownIds(['a', 'b', 'c', 'd'])).keys()]).toEqual(['b']);
  });

  test('refuses a save, and keeps the version before', async () => {
    const log = await aFullLog();
    await expect(log.saveScraper(aScraper({ version: 2, address: LARGE.repeat(20) }))).rejects.toThrow(
      UnavailableError,
    );
    expect(await log.loadScrapers()).toEqual([aScraper()]);
    await log.saveScraper(aScraper({ version: 2 }));
  });

  test('refuses a note, and keeps the one before', async () => {
    const log = await aSqliteLog({ pagesMax: PAGES });
    await log.saveNote('a', 'before');
    await expect(log.saveNote('a', LARGE.repeat(PAGES * 2))).rejects.toThrow(UnavailableError);
    expect(await log.loadNote('a')).toBe('before');
    await log.saveNote('a', 'after');
    expect(await log.loadNote('a')).toBe('after');
  });

  test('has room for a note in place of one as long', async () => {
    const path = aFolder();
    const first = await aSqliteLog({ path });
    await first.saveNote('a', 'x'.repeat(50_000));
    await first[Symbol.asyncDispose]();
    const log = await aFullLog(path);
    await log.saveNote('a', 'y'.repeat(50_000));
    expect(await log.loadNote('a')).toBe('y'.repeat(50_000));
  });

  test('works again by itself after a trim', async () => {
    const log = await aFullLog();
    const { end } = log.state();
    await log.trim(offset(end - 3));
    await log.append([anEvent({ series: LARGE })], newIds('a'));
    expect(log.state()).toMatchObject({ end: end + 1, ids: 1 });
    expect(await log.forgetIds(at(1000), 10)).toBe(0);
    expect(log.state().ids).toBe(0);
  });

  test('works again once it may be larger', async () => {
    const path = aFolder();
    const log = await aFullLog(path);
    const { end } = log.state();
    await log[Symbol.asyncDispose]();
    const larger = await aSqliteLog({ path });
    await larger.append([anEvent({ series: LARGE })]);
    expect(larger.state().end).toBe(end + 1);
  });
});

test('a copy is made though it meets writes, at its first step, too', async () => {
  const log = await aSqliteLog({ path: aFolder(), durability: 'process' });
  await log.append(events(2_000));
  const copies = aFolder();
  for (let n = 0; n < 300; n += 1) {
    const copying = log.copyTo(join(copies, `${n % 3}.db`));
    for (let write = 0; write < 60; write += 1) void log.saveNote('key', String(write));
    expect(await copying).toBe(true);
  }
});

test('a process killed right after `saveScraper` and `saveNote` returned has kept both', async () => {
  const path = aFolder();
  const script = fileURLToPath(new URL('support/saveAndDie.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, path], {
    encoding: 'utf8',
  });
  expect(child).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  const log = await aSqliteLog({ path });
  expect(await log.loadScrapers()).toEqual([aScraper()]);
  expect(await log.loadNote('a')).toBe('text');
});

test('a scraper that comes for the first time costs one sync before it is answered, with what it is offered', async () => {
  let syncs = 0;
  const sync = async () => void (syncs += 1);
  await using log = await aSqliteLog({ sync });
  const relay = new Harness(log, {});
  await relay.start([]);
  await relay.post('1');
  syncs = 0;
  const { entries } = await relay.scrape('a');
  expect(entries).toHaveLength(1);
  expect(syncs).toBe(1);
  expect(await log.loadScrapers()).toMatchObject([{ id: 'a', version: 2, position: { offers: [{}] } }]);
});
