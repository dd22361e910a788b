import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import { offset } from '../../src/core/offset.ts';
import { positionAt } from '../../src/core/position.ts';
import type { Damage, Repair } from '../../src/log/log.ts';
import { LogDamagedError, LogOpenError } from '../../src/log/log.ts';
import { logFiles } from '../../src/app/logFiles.ts';
import { SqliteLog } from '../../src/log/sqlite/sqliteLog.ts';
import type { Place } from '../support/damage.ts';
import { damagePages, pagesByPlace } from '../support/damage.ts';
import { aScraper, anEvent, at, events, newIds, readAll, values } from './support/builders.ts';
import { aFolder } from './support/folders.ts';

const BATCHES = 400;
const BATCH = 10;
const ENTRIES = BATCHES * BATCH;
const TRIMMED = 1000;
const SCRAPERS = 40;
const COUNTERS = JSON.stringify({ upTo: 0, counts: [], more: 'x'.repeat(40_000) });

let good: string;
let places: ReturnType<typeof pagesByPlace>;

/** A closed log with pages of every kind: all tables have several, notes and some blocks reach beyond one, and some are free. */
beforeAll(async () => {
  good = mkdtempSync(join(tmpdir(), 'oneshot-good-'));
  const log = new SqliteLog({ path: good, durability: 'process' });
  await log.start();
  await log.saveNote('event_counters', COUNTERS);
  await log.saveNote('ahead_mark', 'mark');
  for (let n = 0; n < SCRAPERS; n += 1)
    await log.saveScraper(aScraper({ id: `scraper-${n}`, position: positionAt(offset(TRIMMED)) }));
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const first = batch * BATCH + 1;
    const more = events(BATCH - 1, first);
    const large = anEvent({
      value: first + BATCH - 1,
      arrived: at((first + BATCH - 1) * 10),
      series: `deploys{text="${'y'.repeat(batch % 20 === 0 ? 9000 : 300)}"}`,
    });
    await log.append(
      [...more, large],
      newIds(...Array.from({ length: BATCH }, (_, index) => `id ${first + index}`)),
    );
  }
  await log.trim(offset(TRIMMED));
  await log[Symbol.asyncDispose]();
  // SQLite leaves files beside one that it looks at.
  const look = `${good}-look`;
  cpSync(good, look, { recursive: true });
  places = pagesByPlace(join(look, 'events.db'));
  rmSync(look, { recursive: true });
});

afterAll(() => rmSync(good, { recursive: true }));

/** A copy of that log in which pages are damaged: those of a place, or the first, the middle or the last of them. */
function aDamagedLog(
  place: Place,
  which: 'all' | 'first' | 'middle' | 'last',
  from = 0,
  upTo = 4096,
): string {
  const path = aFolder();
  cpSync(good, path, { recursive: true });
  const file = join(path, 'events.db');
  const pages = places.get(place) ?? [];
  expect(pages, place).not.toEqual([]);
  const picked = {
    all: pages,
    first: pages.slice(0, 1),
    middle: pages.slice(pages.length >> 1).slice(0, 1),
    last: pages.slice(-1),
  };
  damagePages(file, picked[which], from, upTo);
  return path;
}

function aLog(path: string) {
  const log = new SqliteLog({ path, durability: 'process' });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const repairs: Repair[] = [];
  const damages: Damage[] = [];
  const broken: Error[] = [];
  log.onRepair((repair) => repairs.push(repair));
  log.onDamage((damage) => damages.push(damage));
  log.onBroken((cause) => broken.push(cause));
  return { log, repairs, damages, broken };
}

const idsOf = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => `id ${first + index}`);

/** Everything that a server does with a log that has no scrapers but these. */
async function useAll(log: SqliteLog, path: string, version = 2): Promise<void> {
  const { end } = log.state();
  await log.append(events(1, end + 1));
  await log.append(events(300, end + 2), newIds(...idsOf(end + 2, end + 301)));
  await log.append(events(1, end + 302), newIds(`id ${ENTRIES}`));
  expect((await log.knownIds(idsOf(end + 2, end + 301))).size).toBe(300);
  expect((await log.knownIds(['unknown'])).size).toBe(0);
  await log.refreshIds(idsOf(2000, 2020), at(ENTRIES * 100), at(ENTRIES * 100));
  // Of those that are old, and of those that are too many.
  await log.forgetIds(at(500 * 10), 1_000_000);
  await log.forgetIds(millis(0), 3000);
  for (let n = 0; n < SCRAPERS; n += 1)
    await log.saveScraper(aScraper({ id: `scraper-${n}`, version, position: positionAt(offset(TRIMMED)) }));
  await log.saveScraper(aScraper({ id: 'another', version }));
  await log.deleteScraper('scraper-3');
  await log.saveNote('event_counters', `${COUNTERS} `);
  await log.trim(offset(TRIMMED + 500));
  await log.copyTo(join(path, 'copies', 'events.db'));
  expect(values(await readAll(log)).slice(-302)).toEqual(values(events(302, end + 1)));
}

describe('where a part of the log is damaged, the log goes on', () => {
  test.each([
    ['ids leaf', 'first', 'ids', 0],
    ['ids leaf', 'middle', 'ids', 0],
    ['ids leaf', 'last', 'ids', 0],
    ['ids internal', 'all', 'ids', 0],
    ['sqlite_autoindex_ids_1 leaf', 'first', 'ids', 0],
    ['sqlite_autoindex_ids_1 leaf', 'middle', 'ids', 0],
    ['sqlite_autoindex_ids_1 leaf', 'last', 'ids', 0],
    ['sqlite_autoindex_ids_1 internal', 'all', 'ids', 0],
    ['meta leaf', 'all', 'meta', 0],
    ['sqlite_autoindex_meta_1 leaf', 'all', 'meta', 0],
    ['sqlite_autoindex_notes_1 leaf', 'all', 'counters', 0],
    ['notes leaf', 'all', 'counters', 1],
    ['notes overflow', 'first', 'counters', 1],
    ['sqlite_autoindex_scrapers_1 leaf', 'all', 'scrapers', 0],
  ] as const)('%s, %s: the part %s is made anew', async (place, which, part, lost) => {
    const path = aDamagedLog(place, which);
    const { log, repairs, broken } = aLog(path);
    await log.start();
    const state = log.state();
    expect(state).toMatchObject({ trimmed: TRIMMED, end: ENTRIES, hadScrapers: true });
    expect(values(await readAll(log))).toEqual(values(events(ENTRIES - TRIMMED, TRIMMED + 1)));
    expect(await log.loadScrapers()).toHaveLength(SCRAPERS);
    const counters = log.loadNote('event_counters');
    if (lost > 0) await expect(counters).rejects.toThrow('damaged');
    else expect(await counters).toBe(COUNTERS);
    await useAll(log, path);
    expect(repairs).toEqual([{ part, lost }]);
    expect(broken).toEqual([]);
    await log[Symbol.asyncDispose]();

    // Once and for all, and the copy is of the repaired log.
    const again = aLog(path);
    await again.log.start();
    expect(await again.log.loadNote('event_counters')).toBe(`${COUNTERS} `);
    await useAll(again.log, join(path, 'again'), 3);
    expect(again.repairs).toEqual([]);
    await again.log[Symbol.asyncDispose]();
    for (const folder of [path, join(path, 'copies')])
      expect(logFiles.check(folder)).toMatchObject({
        isWell: true,
        aside: [`damaged_${part === 'counters' ? 'notes' : part}_1`],
      });
  });

  test.each([
    ['ids leaf', 'first'],
    ['ids leaf', 'middle'],
    ['ids leaf', 'last'],
    ['ids internal', 'all'],
    ['sqlite_autoindex_ids_1 leaf', 'middle'],
    ['sqlite_autoindex_ids_1 internal', 'all'],
  ] as const)('G1: %s, %s: no id is lost, and each for its time at least', async (place, which) => {
    const path = aDamagedLog(place, which);
    const { log } = aLog(path);
    await log.start();
    // Old ones go first, which meets the damage.
    await log.forgetIds(at(100), 1_000_000);
    await log.forgetIds(at(2000 * 10), 1_000_000);
    const known = await log.knownIds(idsOf(2000, ENTRIES));
    expect(known.size).toBe(ENTRIES - 1999);
    expect([...known.values()]).not.toContain(undefined);
    await log.forgetIds(at(ENTRIES * 10), 1_000_000);
    await log.forgetIds(at(ENTRIES * 10 + 1), 1_000_000);
    expect(log.state().ids).toBe(0);
  });

  test('ids of which the table and the index are damaged are lost where both are, and counted', async () => {
    const path = aDamagedLog('ids leaf', 'all');
    const file = join(path, 'events.db');
    damagePages(file, (places.get('sqlite_autoindex_ids_1 leaf') ?? []).slice(0, 5));
    const { log, repairs } = aLog(path);
    await log.start();
    const known = await log.knownIds(idsOf(1, ENTRIES));
    expect(known.size).toBe(log.state().ids);
    expect(known.size).toBeGreaterThan(ENTRIES / 2);
    expect(known.size).toBeLessThan(ENTRIES);
    expect(repairs).toEqual([{ part: 'ids', lost: 1 }]);
    await useAll(log, path);
  });
});

test.each([
  ['ids leaf', 2000, 2100],
  ['ids leaf', 3000, 3010],
  ['sqlite_autoindex_ids_1 leaf', 2000, 2100],
] as const)(
  '%s, with a few other bytes: no more ids are lost than stand there',
  async (place, from, upTo) => {
    const path = aDamagedLog(place, 'middle', from, upTo);
    const { log, repairs } = aLog(path);
    await log.start();
    await useAll(log, path);
    await log.forgetIds(at(ENTRIES * 1000), 1_000_000);
    expect(log.state().ids).toBe(0);
    expect(repairs).toEqual([{ part: 'ids', lost: expect.any(Number) }]);
    expect(repairs[0]?.lost).toBeLessThan(10);
  },
);

test('ids leaf, with a text in place of a time: the id is taken from the index', async () => {
  const path = aDamagedLog('ids leaf', 'middle', 4096);
  const file = join(path, 'events.db');
  const content = readFileSync(file);
  const pages = places.get('ids leaf') ?? [];
  const page = content.subarray((pages[pages.length >> 1] as number) * 4096).subarray(0, 4096);
  // The head of a row: its size, no place, an integer of 6 bytes or fewer, a blob of 16. https://www.sqlite.org/fileformat2.html#record_format
  const head = page.findIndex((byte, n) => byte === 6 && page[n + 1] === 0 && page[n + 3] === 44);
  const bytes = [0, 1, 2, 3, 4, 6][page[head + 2] as number] as number;
  page[head + 2] = 13 + 2 * bytes;
  writeFileSync(file, content);
  const { log, repairs, broken } = aLog(path);
  await log.start();
  await log.refreshIds(idsOf(1, ENTRIES), at(ENTRIES * 100), at(ENTRIES * 100));
  expect((await log.knownIds(idsOf(1, ENTRIES))).size).toBe(ENTRIES);
  await useAll(log, path);
  expect(repairs).toEqual([{ part: 'ids', lost: 0 }]);
  expect(broken).toEqual([]);
});

describe('where it is damaged where it is written to', () => {
  test('free pages: the log says so once, and the next start makes it anew, with everything in it', async () => {
    const path = aDamagedLog('freelist trunk', 'first');
    const { log, broken, repairs } = aLog(path);
    await log.start();
    void log.append(events(300, ENTRIES + 1), newIds(...idsOf(ENTRIES + 1, ENTRIES + 300)));
    await expect.poll(() => broken).toHaveLength(1);
    expect(broken[0]).toBeInstanceOf(LogDamagedError);
    expect(broken[0]?.message).toMatch(/^the log .*events\.db is damaged .*; start the server again/);
    expect(repairs).toEqual([]);
    await log[Symbol.asyncDispose]();

    const again = aLog(path);
    await again.log.start();
    expect(again.repairs).toEqual([{ part: 'file', lost: 0, kept: join(path, 'events.db.damaged-1') }]);
    expect(again.log.state()).toMatchObject({ trimmed: TRIMMED, end: ENTRIES, ids: ENTRIES });
    expect(values(await readAll(again.log))).toEqual(values(events(ENTRIES - TRIMMED, TRIMMED + 1)));
    expect(await again.log.loadNote('event_counters')).toBe(COUNTERS);
    expect(await again.log.loadScrapers()).toHaveLength(SCRAPERS);
    await useAll(again.log, path);
    await again.log[Symbol.asyncDispose]();
    expect(logFiles.check(path)).toMatchObject({ isWell: true, aside: [] });
    expect(existsSync(join(path, 'events.db.rebuild'))).toBe(false);

    // Nor is it looked at again.
    const third = aLog(path);
    await third.log.start();
    expect(third.repairs).toEqual([]);
  });

  test('free pages: what can not be freed is not taken for a block that can not be read', async () => {
    const path = aDamagedLog('freelist trunk', 'first');
    const { log, broken } = aLog(path);
    await log.start();
    void log.trim(offset(TRIMMED + 1500));
    await expect.poll(() => broken).toHaveLength(1);
    await log[Symbol.asyncDispose]();
    const again = aLog(path);
    await again.log.start();
    await again.log.trim(offset(TRIMMED + 1500));
    expect(again.log.state()).toMatchObject({ trimmed: TRIMMED + 1500, end: ENTRIES });
    expect(again.broken).toEqual([]);
  });

  test('the last page of blocks: what stood on it is lost, and told', async () => {
    const path = aDamagedLog('blocks leaf', 'last');
    const { log, repairs, damages } = aLog(path);
    await log.start();
    expect(repairs).toMatchObject([{ part: 'file' }]);
    expect(damages).toMatchObject([{ upTo: ENTRIES }]);
    expect(damages[0]?.after).toBeGreaterThan(ENTRIES - 50 * BATCH);
    expect(log.state().end).toBeGreaterThan(ENTRIES);
    await useAll(log, path);
    await log[Symbol.asyncDispose]();
    expect(logFiles.check(path).problems).toEqual([expect.stringMatching(/entries were lost before/)]);
  });

  test.each([
    [
      'scrapers leaf',
      'middle',
      /: the table scrapers \(how far each has read\) is damaged; check it with `oneshot log check`, and restore/,
    ],
    ['scrapers internal', 'all', /: the table scrapers/],
    ['blocks internal', 'all', /: the table blocks is damaged; check it with/],
    ['sqlite_schema leaf', 'all', /: it is not a database/],
  ] as const)(
    '%s: the start says what is damaged and what to do, and changes nothing',
    async (place, which, message) => {
      const path = aDamagedLog(place, which);
      const before = readFileSync(join(path, 'events.db'));
      for (let round = 0; round < 2; round += 1) {
        const { log } = aLog(path);
        const error = await log.start().then(
          () => undefined,
          (cause: unknown) => cause,
        );
        expect(error).toBeInstanceOf(LogOpenError);
        expect(String(error)).toMatch(message);
        expect(String(error)).not.toContain('\n');
      }
      expect(readFileSync(join(path, 'events.db')).equals(before)).toBe(true);
      expect(readdirSync(path).filter((name) => !name.startsWith('events.end'))).toEqual(['events.db']);
    },
  );
});

/** Numbers that look random, the same for each seed. */
function numbersOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  'whatever bytes are others, it goes on, or says that it can not: %i',
  async (seed) => {
    const path = aFolder();
    cpSync(good, path, { recursive: true });
    const file = join(path, 'events.db');
    const content = readFileSync(file);
    const below = numbersOf(seed);
    for (let hits = 1 + below(3); hits > 0; hits -= 1) {
      // The roots of the tables stand at the beginning.
      const page = 1 + below(below(2) === 0 ? 14 : content.length / 4096 - 1);
      const from = page * 4096 + below(below(2) === 0 ? 100 : 4000);
      for (let place = from; place < from + ([1, 4, 50][below(3)] as number); place += 1)
        content[place] = below(256);
    }
    writeFileSync(file, content);
    for (let round = 0; round < 3; round += 1) {
      const { log, broken } = aLog(path);
      const ended = Promise.withResolvers<Error>();
      log.onBroken(ended.resolve);
      const used = (async () => {
        await log.start();
        const { trimmed, end } = log.state();
        await log.append(events(300, end + 1), newIds(...idsOf(end + 1, end + 300)));
        for (const scraper of await log.loadScrapers())
          await log.saveScraper({ ...scraper, version: scraper.version + 1 });
        await log.saveNote('event_counters', '{}');
        await log.knownIds(idsOf(1, 500));
        await log.forgetIds(millis(0), 3000);
        for (let after = trimmed; after < end;) {
          const { upTo } = await log.read(after, end, { entriesMax: 1000, bytesMax: Infinity });
          expect(upTo).toBeGreaterThan(after);
          after = upTo;
        }
        await log.trim(offset(trimmed + 500));
        return 'well';
      })().catch((error: unknown) => error as Error);
      const outcome = await Promise.race([used, ended.promise]);
      if (outcome instanceof Error) expect(['LogOpenError', 'LogDamagedError']).toContain(outcome.name);
      expect(broken.length).toBeLessThan(2);
      await log[Symbol.asyncDispose]();
    }
  },
);
