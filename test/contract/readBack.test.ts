import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logFiles } from '../../src/app/logFiles.ts';
import { offset } from '../../src/core/offset.ts';
import type { Position } from '../../src/core/position.ts';
import type { Damage } from '../../src/log/log.ts';
import { LogOpenError } from '../../src/log/log.ts';
import { recordFault } from '../../src/log/recordFault.ts';
import type { ScraperRecord } from '../../src/log/scraperRecords.ts';
import { checksumOf } from '../../src/log/block.ts';
import { SqliteLog } from '../../src/log/sqlite/sqliteLog.ts';
import { Harness } from '../support/harness.ts';
import { aScraper, at } from './support/builders.ts';
import { aFolder } from './support/folders.ts';

/* What the log reads back from its file may be anything: SQLite finds nothing wrong with a number that this program never writes. */

const ENTRIES = 60;
const ID = 'prometheus-0';

/** A position in which nothing is empty. */
const POSITION = {
  head: 50,
  returned: [
    { after: 5, upTo: 8 },
    { after: 10, upTo: 20 },
  ],
  offers: [
    {
      id: 3,
      mode: 'untimed',
      phase: 'flushed',
      ranges: [{ after: 20, upTo: 30 }],
      collapsed: 2,
      hidden: [
        { after: 21, upTo: 22 },
        { after: 24, upTo: 25 },
      ],
      requestedAt: at(1000),
      timeoutMs: 10_000,
    },
    {
      id: 4,
      mode: 'timed',
      phase: 'sending',
      ranges: [
        { after: 30, upTo: 35 },
        { after: 40, upTo: 50 },
      ],
      collapsed: 0,
      requestedAt: at(1000),
      closes: true,
    },
  ],
  endedOnce: [{ after: 10, upTo: 12 }],
  perhapsTimed: [{ after: 30, upTo: 33 }],
  endsInRow: 3,
  repeats: [
    {
      id: 2,
      mode: 'timed',
      phase: 'flushed',
      ranges: [{ after: 10, upTo: 20 }],
      collapsed: 0,
      requestedAt: at(0),
    },
  ],
  moved: [
    { after: 0, upTo: 25, floor: at(5) },
    { after: 25, upTo: 50, floor: at(30) },
  ],
  halvings: 2,
  past: {
    start: 1,
    known: 2,
    ways: {
      unproven: [{ after: 2, upTo: 4 }],
      backlog_full: [{ after: 8, upTo: 9 }],
    },
  },
} as unknown as Position;

const RECORD: ScraperRecord = aScraper({
  id: ID,
  position: POSITION,
  isOneVisit: true,
  version: 7,
  select: { key: 'aA0_-56789abcdef', since: offset(20) },
});

let good: string;

/** A closed log of events with ids, in blocks of ten, and a scraper in the midst of them. */
beforeAll(async () => {
  good = mkdtempSync(join(tmpdir(), 'oneshot-good-'));
  await using log = new SqliteLog({ path: good, durability: 'process' });
  await log.start();
  const harness = new Harness(log);
  await harness.start();
  for (let batch = 0; batch < ENTRIES; batch += 10)
    await harness.postBatch(
      Array.from({ length: 10 }, (_, index) => ({ n: String(batch + index + 1), id: `id ${batch + index}` })),
    );
  await log.saveScraper(RECORD);
});

afterAll(() => rmSync(good, { recursive: true }));

/** A copy of that log, changed. */
function aLogWith(change: (db: DatabaseSync) => void): string {
  const path = aFolder();
  cpSync(good, path, { recursive: true });
  const db = new DatabaseSync(join(path, 'events.db'));
  change(db);
  db.close();
  return path;
}

const withRecord = (record: unknown): string =>
  aLogWith((db) => db.prepare('UPDATE scrapers SET record = ?').run(JSON.stringify(record)));

const logOf = (path: string) => new SqliteLog({ path, durability: 'process' });

/** What a start says that refuses a log; it leaves the file as it is, and the check of the log says the same. */
async function refusal(path: string): Promise<string> {
  const file = join(path, 'events.db');
  const before = readFileSync(file);
  const error = await logOf(path)
    .start()
    .then(
      () => undefined,
      (cause: unknown) => cause,
    );
  expect(error).toBeInstanceOf(LogOpenError);
  const { message } = error as LogOpenError;
  expect(message).toMatch(
    /^can't open the log [ -~]*events\.db: [ -~]+ is damaged \([ -~]+\); check it with `oneshot log check`/,
  );
  expect(readFileSync(file).equals(before)).toBe(true);
  const [, what, why] = /events\.db: (.+) is damaged \((.+)\); check it/.exec(message) ?? [];
  const report = logFiles.check(path);
  expect(report.isWell).toBe(false);
  expect(report.problems.join('\n')).toContain(what?.replace(/^the record of |^the table (?=ids)/, ''));
  return `${what}: ${why}`;
}

type Path = readonly (string | number)[];

/** Where in a value something stands: all fields, and all that stands in lists. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const inside = entries.flatMap(([key, each]) => pathsIn(each, [...path, key]));
  return path.length === 0 ? inside : [path, ...inside];
}

const nameOf = (path: Path): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1);

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((inside, key) => (inside as Record<string, unknown> | null | undefined)?.[key], value);
}

/** A copy in which one place has another value; without one, it is not there. */
function changed(record: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(record);
  const last = path.at(-1) as string;
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

const ALL = pathsIn(RECORD);
const NUMBERS = ALL.filter((path) => typeof valueAt(RECORD, path) === 'number');
const BAD = [undefined, null, 'NaN', '1', '', -1, 1.5, 2 ** 53, 2 ** 53 - 1, 1e300, [], {}, true];
/** What may be missing, and what a clock or a client may say. */
const OPTIONAL = new Set([
  'isOneVisit',
  'select',
  'position.offers[0].hidden',
  'position.offers[0].timeoutMs',
  'position.offers[1].closes',
  'position.past',
  'position.past.start',
  'position.past.ways.unproven',
  'position.past.ways.backlog_full',
]);
const isAllowed = (path: Path, value: unknown): boolean =>
  (value === undefined && OPTIONAL.has(nameOf(path))) ||
  (nameOf(path).endsWith('.floor') && value === -1) ||
  (nameOf(path).endsWith('.timeoutMs') && value === 1.5);

describe("a scraper's record", () => {
  test('that is as it was written is read', async () => {
    await using log = logOf(withRecord(RECORD));
    await log.start();
    expect(await log.loadScrapers()).toEqual([RECORD]);
  });

  test.each(NUMBERS.map((path) => [nameOf(path), path] as const))(
    'with another %s is refused, and the start says which field, and what it must be',
    async (name, path) => {
      for (const value of BAD) {
        if (isAllowed(path, value)) continue;
        const said = await refusal(withRecord(changed(RECORD, path, value)));
        const rule = name === 'version' && value === 2 ** 53 - 1 ? '' : '; it must be';
        expect(said, JSON.stringify(value)).toContain(
          `the record of scraper "${ID}": ${name} is ${value === undefined ? 'missing' : (JSON.stringify(value) ?? '')}${rule}`,
        );
      }
    },
  );

  test('without any of its fields, or with something else in its place, is refused', () => {
    for (const path of ALL) {
      if (typeof path.at(-1) === 'string' && !OPTIONAL.has(nameOf(path)))
        expect(recordFault(changed(RECORD, path, undefined)), nameOf(path)).toContain(nameOf(path));
      for (const value of [null, 7.5, {}, [{}], [[]], [null], 'text']) {
        const isText = ['id', 'address'].includes(nameOf(path)) && value === 'text';
        if (isText || (typeof valueAt(RECORD, path) === 'number' && isAllowed(path, value))) continue;
        if (nameOf(path).endsWith('.timeoutMs') && value === 7.5) continue;
        // Nothing was settled but with proof.
        if (nameOf(path).endsWith('.ways') && JSON.stringify(value) === '{}') continue;
        expect(
          recordFault(changed(RECORD, path, value)),
          `${nameOf(path)} ${JSON.stringify(value)}`,
        ).toBeDefined();
      }
    }
  });

  const positionWith = (change: object) => ({ ...RECORD, position: { ...POSITION, ...change } });
  const [offerA, offerB] = POSITION.offers;
  test.each([
    ['null', null, 'the record is null; it must be an object'],
    ['a list', [], 'the record is []; it must be an object'],
    [
      'of another scraper',
      { ...RECORD, id: 'prometheus-1' },
      'its id is "prometheus-1"; it must be that of its row',
    ],
    ['of another version', { ...RECORD, version: 8 }, 'version is 8; it must be that of its row, 7'],
    [
      'with ranges in no order',
      positionWith({ returned: POSITION.returned.toReversed() }),
      'position.returned[1].after is 5; it must be a whole number from 20 to 49',
    ],
    [
      'with ranges that overlap',
      positionWith({
        endedOnce: [
          { after: 1, upTo: 9 },
          { after: 8, upTo: 12 },
        ],
      }),
      'position.endedOnce[1].after is 8; it must be a whole number from 9 to 49',
    ],
    [
      'with an empty range',
      positionWith({ returned: [{ after: 5, upTo: 5 }] }),
      'position.returned[0].upTo is 5; it must be a whole number from 6 to 50',
    ],
    [
      'with a range beyond its head',
      positionWith({ returned: [{ after: 5, upTo: 51 }] }),
      'position.returned[0].upTo is 51; it must be a whole number from 6 to 50',
    ],
    [
      'with moved entries beyond its head',
      positionWith({ moved: [{ after: 5, upTo: 51, floor: 1 }] }),
      'position.moved[0].upTo is 51; it must be a whole number from 6 to 50',
    ],
    [
      'with an offer of nothing',
      positionWith({ offers: [{ ...offerA, ranges: [] }] }),
      'position.offers[0].ranges is []; it must be a list of one range or more',
    ],
    [
      'with an entry that came back and is out',
      positionWith({ returned: [{ after: 15, upTo: 21 }] }),
      'entry 21 is in position.returned or position.offers more than once; it must be in one place',
    ],
    [
      'with an entry that is out twice',
      positionWith({ offers: [offerA, { ...offerB, ranges: offerA?.ranges }] }),
      'entry 21 is in position.returned or position.offers more than once; it must be in one place',
    ],
    [
      'with two offers of one id',
      positionWith({ offers: [offerA, { ...offerB, id: 3 }] }),
      'two of position.offers have the same id; each must have its own',
    ],
    [
      'with an unknown mode',
      positionWith({ repeats: [{ ...offerA, mode: 'times' }] }),
      'position.repeats[0].mode is "times"; it must be "timed" or "untimed"',
    ],
    [
      'with an unknown phase',
      positionWith({ offers: [{ ...offerA, phase: 'sendinh' }] }),
      'position.offers[0].phase is "sendinh"; it must be "sending" or "flushed"',
    ],
    [
      'with too many halvings',
      positionWith({ halvings: 21 }),
      'position.halvings is 21; it must be a whole number from 0 to 20',
    ],
    [
      'with too many ends in a row',
      positionWith({ endsInRow: 33 }),
      'position.endsInRow is 33; it must be a whole number from 0 to 32',
    ],
    [
      'with hidden entries beyond its head',
      positionWith({ offers: [{ ...offerA, hidden: [{ after: 20, upTo: 51 }] }, offerB] }),
      'position.offers[0].hidden[0].upTo is 51; it must be a whole number from 21 to 50',
    ],
    [
      'with hidden entries of another kind',
      positionWith({ offers: [{ ...offerA, hidden: 'soma' }, offerB] }),
      'position.offers[0].hidden is "soma"; it must be a list, or "some"',
    ],
    [
      'with a past that is known before it starts',
      positionWith({ past: { ...POSITION.past, known: 0 } }),
      'position.past.known is 0; it must be a whole number from 1 to 50',
    ],
    [
      'with a past beyond its head',
      positionWith({ past: { ...POSITION.past, ways: { damaged: [{ after: 5, upTo: 51 }] } } }),
      'position.past.ways.damaged[0].upTo is 51; it must be a whole number from 6 to 50',
    ],
    [
      'with an unknown way in its past',
      positionWith({ past: { ...POSITION.past, ways: { unprovem: [{ after: 5, upTo: 6 }] } } }),
      'position.past.ways has "unprovem"; it must have no more than unproven, collapsed, perhapsCollapsed, backlog_full, log_full, damaged, refused',
    ],
    [
      'far beyond the log',
      positionWith({ head: 2 ** 40 }),
      `position.head is ${2 ** 40}, but the log had reached 60; it can't be more than 2000000000 beyond`,
    ],
  ])('is refused: %s', async (_, record, why) => {
    expect(await refusal(withRecord(record))).toBe(`the record of scraper "${ID}": ${why}`);
  });

  test('in which anything is changed is refused, or all goes on: nothing comes twice, or waits for ever', async () => {
    const value = fc.oneof(
      fc.integer({ min: -1, max: ENTRIES + 1 }),
      fc.constantFrom<unknown>(...BAD, 'timed', 'flushed', 'sending', false, 4_000_000_000),
      fc.jsonValue({ maxDepth: 2 }),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...ALL), value), { minLength: 1, maxLength: 2 }),
        async (changes) => {
          let record: unknown = RECORD;
          // An earlier change may have taken away where a later one stands; a text has places, too.
          for (const [path, each] of changes)
            if (typeof valueAt(record, path.slice(0, -1)) === 'object' && valueAt(record, path) !== undefined)
              record = changed(record, path, each);
          await using log = logOf(withRecord(record));
          try {
            await log.start();
          } catch (error) {
            expect(error).toBeInstanceOf(LogOpenError);
            expect(String(error)).toContain(`the record of scraper "${ID}" is damaged (`);
            refused += 1;
            return;
          }
          const harness = new Harness(log, { eventsMax: 8 });
          await harness.start();
          const got: string[] = [];
          for (let round = 0; round < 2 * ENTRIES; round += 1) {
            const numbers = await harness.delivered(ID);
            if (numbers.length === 0) break;
            got.push(...numbers);
          }
          expect(await harness.delivered(ID)).toEqual([]);
          expect(new Set(got).size).toBe(got.length);
          await harness.post('new');
          expect(await harness.delivered(ID)).toEqual(['new']);
          await harness.pass(1000);
          for (const [name, count] of Object.entries(harness.counts.deliveries))
            expect(count, name).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(300);
  });
});

describe('a number that was never written', () => {
  const MOST = 'it must be a whole number from 0 to 4503599627370496';
  test.each([
    [
      "UPDATE meta SET value = 9007199254740991 WHERE key = 'trimmed'",
      `the table meta: trimmed is 9007199254740991; ${MOST}`,
    ],
    [
      "UPDATE meta SET value = 9223372036854775807 WHERE key = 'trimmed'",
      `the table meta: trimmed is 9223372036854775807; ${MOST}`,
    ],
    ["UPDATE meta SET value = -1 WHERE key = 'trimmed'", `the table meta: trimmed is -1; ${MOST}`],
    [
      "UPDATE meta SET value = 61 WHERE key = 'trimmed'",
      'the table meta: trimmed is 61, but entries up to 60 are still there; it must be less',
    ],
    [
      "UPDATE meta SET value = 60 WHERE key = 'trimmed'",
      'the table meta: trimmed is 60, but entries up to 60 are still there; it must be less',
    ],
    ["DELETE FROM meta WHERE key = 'trimmed'", 'the table meta: trimmed is missing'],
    [
      "DELETE FROM blocks; UPDATE meta SET value = 9223372036854775807 WHERE key = 'trimmed_arrived'",
      'the table meta: trimmed_arrived is 9223372036854775807; it must be a whole number from 0 to 8640000000000000',
    ],
    [
      "UPDATE meta SET value = 2 WHERE key = 'had_scrapers'",
      'the table meta: had_scrapers is 2; it must be a whole number from 0 to 1',
    ],
    [
      'UPDATE ids SET place = 9007199254740991 WHERE place = 7',
      `the table ids: the last place is 9007199254740991; ${MOST}`,
    ],
    [
      'UPDATE ids SET place = 9223372036854775807 WHERE place = 7',
      `the table ids: the last place is 9223372036854775807; ${MOST}`,
    ],
    [
      'UPDATE ids SET arrived = 9223372036854775807 WHERE place = 60',
      'the table ids: the last arrived is 9223372036854775807; it must be a whole number from 0 to 8640000000000000',
    ],
    [
      'UPDATE scrapers SET version = 9007199254740991',
      `the record of scraper "${ID}": version is 9007199254740991; it must be a whole number from 1 to 4503599627370496`,
    ],
    [
      'UPDATE scrapers SET version = 9223372036854775807',
      `the record of scraper "${ID}": version is 9223372036854775807; it must be a whole number from 1 to 4503599627370496`,
    ],
    [
      'UPDATE scrapers SET version = 0',
      `the record of scraper "${ID}": version is 0; it must be a whole number from 1 to 4503599627370496`,
    ],
  ])('%s', async (sql, said) => {
    expect(await refusal(aLogWith((db) => db.exec(sql)))).toBe(said);
  });

  test('at the end of the log, though its block is whole', async () => {
    const path = aLogWith((db) => {
      const row = db.prepare('SELECT * FROM blocks WHERE last = 60').get() as never;
      const last = Number.MAX_SAFE_INTEGER;
      const checksum = checksumOf({ ...(row as object), last } as never);
      db.prepare('UPDATE blocks SET last = ?, checksum = ? WHERE last = 60').run(last, checksum);
    });
    expect(await refusal(path)).toBe(
      'the table blocks: it ends at 9007199254740991; it must end at 4503599627370496 at most',
    );
  });

  test('in the place of an id costs what the id stands for, and no more', async () => {
    for (const field of ['entry', 'count']) {
      await using log = logOf(
        aLogWith((db) => db.exec(`UPDATE ids SET ${field} = 9223372036854775807 WHERE place = 7`)),
      );
      await log.start();
      expect(await log.knownIds(['id 6', 'id 7'])).toEqual(
        new Map([
          ['id 6', undefined],
          ['id 7', { first: 8, count: 1 }],
        ]),
      );
    }
  });

  test('in the heading of a block costs no more than that block', async () => {
    for (const field of ['count', 'arrived']) {
      await using log = logOf(
        aLogWith((db) => db.exec(`UPDATE blocks SET ${field} = 9223372036854775807 WHERE last = 20`)),
      );
      await log.start();
      const broken: Error[] = [];
      log.onBroken((cause) => broken.push(cause));
      const read = await log.read(offset(0), offset(ENTRIES), { entriesMax: 1000, bytesMax: Infinity });
      expect(read).toMatchObject({ upTo: ENTRIES, lost: 10 });
      await log.trim(offset(20));
      await log.trim(offset(40));
      expect(log.state()).toMatchObject({ trimmed: 40, end: ENTRIES });
      expect(broken).toEqual([]);
    }
  });
});

describe('a gap, however large it is', () => {
  const FAR = 1_900_000_000;

  test('at the end of the log is told, read over and trimmed at once', async () => {
    const path = withRecord({ ...RECORD, position: { ...POSITION, head: FAR } });
    await using log = logOf(path);
    const damages: Damage[] = [];
    log.onDamage((damage) => damages.push(damage));
    await log.start();
    expect(damages).toMatchObject([{ after: ENTRIES, upTo: FAR }]);
    const { end } = log.state();
    const harness = new Harness(log, { entriesMax: 10 });
    await harness.start();
    await harness.post('new');
    expect(await harness.delivered('another')).toContain('new');
    await harness.pass(1000);
    expect(log.state()).toMatchObject({ trimmed: end - 9, end: end + 1 });
  });

  test('in the midst of it, too', async () => {
    const path = aLogWith((db) => {
      const row = db.prepare('SELECT * FROM blocks WHERE last = 60').get() as never;
      const checksum = checksumOf({ ...(row as object), last: FAR } as never);
      db.prepare('UPDATE blocks SET last = ?, checksum = ? WHERE last = 60').run(FAR, checksum);
    });
    expect(logFiles.check(path)).toMatchObject({ lost: FAR - ENTRIES, end: FAR });
    await using log = logOf(path);
    await log.start();
    const harness = new Harness(log);
    await harness.start();
    expect(await harness.delivered(ID)).toContain('60');
    await log.trim(offset(FAR - 5));
    expect(log.state()).toMatchObject({ trimmed: FAR - 5, end: FAR });
  });
});
