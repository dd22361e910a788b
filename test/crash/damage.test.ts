import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import type { Place } from '../support/damage.ts';
import { damagePages, leafPages, pagesByPlace } from '../support/damage.ts';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const BATCHES = 200;
const BATCH = 10;
const EVENTS = BATCHES * BATCH;

/** A server that reads what is before its tail, as after a start it does anyway. */
const start = (path: string, ...flags: string[]) =>
  ServerProcess.start([`--store.path=${path}`, '--counters.labels=', ...flags]);

async function post(server: ServerProcess, from: number, count: number): Promise<void> {
  const body = Array.from(
    { length: count },
    (_, index) => `{"id":"id-${from + index}","labels":{"n":"${from + index}"}}\n`,
  ).join('');
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${server.url}/event`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
}

/** What a scraper gets until nothing comes any more. */
async function scrapeAll(server: ServerProcess, id: string): Promise<number[]> {
  const client = await RawClient.connect(server.port);
  const got: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    client.get(`/metrics?scraper=${id}`);
    const { status, body } = await client.response();
    expect(status).toBe(200);
    const before = got.length;
    for (const [, n] of body.matchAll(/^events_to_metrics\{n="(\d+)"/gm)) got.push(Number(n));
    if (got.length === before) break;
  }
  client.end();
  return got;
}

async function dropped(server: ServerProcess): Promise<number> {
  const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  return Number(/dropped_total\{reason="damaged"\} (\d+)/.exec(body)?.[1]);
}

/** Logs that many tests begin with: each is made once, and copied. */
const templates = temporaryFolder();
afterAll(() => templates[Symbol.dispose]());
const made = new Map<string, Promise<void>>();

/** Copies a log into a folder, the database of which it returns. */
async function aCopy(path: string, name: string, make: (template: string) => Promise<void>): Promise<string> {
  const template = join(templates.path, name);
  const making = made.get(name) ?? make(template);
  made.set(name, making);
  await making;
  cpSync(template, path, { recursive: true });
  return join(path, 'events.db');
}

/** A stopped server's folder with many events in it, for two scrapers that have had none yet. */
const aStoppedLog = (path: string): Promise<string> =>
  aCopy(path, 'stopped', async (template) => {
    const server = await start(template);
    expect(await scrapeAll(server, 'a')).toEqual([]);
    expect(await scrapeAll(server, 'b')).toEqual([]);
    for (let batch = 0; batch < BATCHES; batch += 1) await post(server, batch * BATCH, BATCH);
    expect(await server.end('SIGTERM')).toBe(0);
  });

describe('a page of the log', () => {
  test.each([
    ['in the middle, with other bytes in it', 0.5, 2000, 2100],
    ['in the middle, which SQLite can not read', 0.5, 0, 4096],
    ['at the beginning', 0, 0, 4096],
    ['at the end, with other bytes in it', 1, 2000, 2100],
  ])('G2, G6: %s: the start goes on, and so do both scrapers', async (_, share, from, upTo) => {
    using folder = temporaryFolder();
    const file = await aStoppedLog(folder.path);
    const pages = leafPages(file, 'events_to_metrics{');
    expect(pages.length).toBeGreaterThan(5);
    damagePages(file, [pages[Math.floor((pages.length - 1) * share)] as number], from, upTo);

    const server = await start(folder.path);
    try {
      await post(server, EVENTS, 1);
      const [a, b] = [await scrapeAll(server, 'a'), await scrapeAll(server, 'b')];
      expect(b).toEqual(a);
      expect(new Set(a).size).toBe(a.length);
      expect(a).toContain(EVENTS);
      const missing = EVENTS + 1 - a.length;
      expect(missing).toBeGreaterThan(0);
      expect(missing).toBeLessThan(EVENTS / 4);
      expect(await dropped(server)).toBe(2 * missing);
      expect(await (await fetch(`${server.url}/api/v1/events?after=0`)).json()).toBeDefined();
      expect((await fetch(`${server.url}/-/ready`)).status).toBe(200);
      expect(server.output().match(/the log is damaged/g), server.output()).toHaveLength(1);
      // What was written over may be where SQLite looks for the length of a row: then there is nothing that could be kept.
      if (share === 0.5 && upTo !== 4096) expect(readdirSync(join(folder.path, 'damaged'))).not.toEqual([]);
    } finally {
      expect(await server.end('SIGTERM')).toBe(0);
    }

    const again = await start(folder.path);
    expect(await scrapeAll(again, 'a')).toEqual([]);
    expect(await dropped(again)).toBe(0);
    expect(await again.end('SIGTERM')).toBe(0);
  });
});

test.each([
  [
    'a byte is another',
    (wal: Buffer) =>
      wal.fill((wal.at(wal.length >> 1) as number) ^ 0xff, wal.length >> 1, (wal.length >> 1) + 1),
  ],
  ['the half is missing', (wal: Buffer) => wal.subarray(0, wal.length >> 1)],
])(
  'G2: after a kill, %s of the -wal file: what is lost is told and counted, and no offset is given again',
  async (_, damage) => {
    using folder = temporaryFolder();
    const server = await start(folder.path);
    expect(await scrapeAll(server, 'a')).toEqual([]);
    for (let batch = 0; batch < 40; batch += 1) await post(server, batch * BATCH, BATCH);
    const mark = join(folder.path, 'events.end');
    await expect.poll(() => readFileSync(mark, 'latin1')).toMatch(/^end 400 /);
    await server.end('SIGKILL');
    const wal = join(folder.path, 'events.db-wal');
    writeFileSync(wal, damage(readFileSync(wal)));

    const again = await start(folder.path);
    expect(again.output()).toMatch(/"upTo":400,"why":"the end of the log is missing/);
    await post(again, 1000, 2);
    const got = await scrapeAll(again, 'a');
    expect(got.slice(-2)).toEqual([1000, 1001]);
    const before = got.slice(0, -2);
    expect(before).toEqual(Array.from({ length: before.length }, (_each, n) => n));
    expect(before.length).toBeLessThan(400);
    expect(await dropped(again)).toBe(400 - before.length);
    const { events } = (await (await fetch(`${again.url}/api/v1/events?after=400`)).json()) as {
      events: object[];
    };
    expect(events).toHaveLength(2);
    expect(readdirSync(join(folder.path, 'damaged'))).toHaveLength(1);
    expect(await again.end('SIGTERM')).toBe(0);
  },
);

describe('a part of the log beside its entries', () => {
  /** A stopped server's folder in which a page of a place is damaged, after it held events with ids, and gave some up. */
  async function aDamagedLog(path: string, place: Place): Promise<void> {
    const file = await aCopy(path, 'trimmed', async (template) => {
      await aStoppedLog(template);
      const server = await start(template, '--store.entriesMax=1500');
      await expect.poll(() => metric(server, 'log_entries ')).toBe(1500);
      expect(await server.end('SIGTERM')).toBe(0);
    });
    cpSync(file, join(path, 'look.db'));
    const pages = pagesByPlace(join(path, 'look.db')).get(place) ?? [];
    expect(pages, place).not.toEqual([]);
    damagePages(file, pages.slice(pages.length >> 1).slice(0, 1));
  }

  async function metric(server: ServerProcess, name: string): Promise<number> {
    const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
    return Number(
      body
        .split('\n')
        .find((line) => line.startsWith(`events_to_metrics_${name}`))
        ?.split(' ')
        .at(-1),
    );
  }

  const duplicates = async (server: ServerProcess, n: number): Promise<number> => {
    await post(server, n, 1);
    return metric(server, 'duplicates_total');
  };

  test.each([
    ['ids leaf', 'ids'],
    ['ids internal', 'ids'],
    ['sqlite_autoindex_ids_1 leaf', 'ids'],
    ['meta leaf', 'meta'],
    ['notes leaf', 'counters'],
    ['sqlite_autoindex_scrapers_1 leaf', 'scrapers'],
  ] as const)(
    'G1, G2: %s: the server goes on, tells it once, and stores nothing twice',
    async (place, part) => {
      using folder = temporaryFolder();
      await aDamagedLog(folder.path, place);
      const server = await start(folder.path, '--ids.max=900');
      try {
        await expect.poll(() => metric(server, 'ids ')).toBe(900);
        await expect.poll(() => metric(server, `log_repairs_total{part="${part}"}`)).toBe(1);
        expect(await metric(server, 'ids_forgotten_total{reason="damaged"}')).toBe(0);
        expect(await duplicates(server, EVENTS - 1)).toBe(1);
        await post(server, EVENTS, 50);
        const a = await scrapeAll(server, 'a');
        expect(a).toEqual(Array.from({ length: 1550 }, (_, index) => EVENTS - 1500 + index));
        expect((await fetch(`${server.url}/-/ready`)).status).toBe(200);
        expect((await fetch(`${server.url}/api/v1/backup`, { method: 'POST' })).status).toBe(200);
        expect(server.output().match(/the log was damaged/g), server.output()).toHaveLength(1);
        expect(server.output()).not.toMatch(/^ *at /m);
      } finally {
        expect(await server.end('SIGTERM')).toBe(0);
      }
      const again = await start(folder.path);
      expect(await scrapeAll(again, 'a')).toEqual([]);
      expect(again.output()).not.toContain('damaged');
      expect(await again.end('SIGTERM')).toBe(0);
    },
  );

  test('G1, G2: free pages: the server ends once, with one line, and the next start makes the file anew', async () => {
    using folder = temporaryFolder();
    await aDamagedLog(folder.path, 'freelist trunk');
    const server = await start(folder.path);
    const posted: number[] = [];
    for (let batch = 0; batch < 50; batch += 1) {
      const first = EVENTS + batch * BATCH;
      const isStored = await post(server, first, BATCH).then(
        () => true,
        () => false,
      );
      if (!isStored) break;
      posted.push(...Array.from({ length: BATCH }, (_, index) => first + index));
    }
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(
      /^oneShotMetricsServer: can't write the log any more: the log .*events\.db is damaged .*; start the server again: /m,
    );
    expect(server.output()).not.toMatch(/^ *at |"stack"/m);

    const again = await start(folder.path);
    expect(again.output()).toMatch(/"part":"file".*events\.db\.damaged-1/);
    expect(await metric(again, 'log_repairs_total{part="file"}')).toBe(1);
    await post(again, 5000, 500);
    const before = Array.from({ length: 1500 }, (_, index) => EVENTS - 1500 + index);
    const after = Array.from({ length: 500 }, (_, index) => 5000 + index);
    expect(await scrapeAll(again, 'a')).toEqual([...before, ...posted, ...after]);
    expect(await duplicates(again, EVENTS - 1)).toBe(1);
    expect(await again.end('SIGTERM')).toBe(0);
  });

  test('free pages that the start itself needs: it ends with one line, and does not wait for ever', async () => {
    using folder = temporaryFolder();
    await aDamagedLog(folder.path, 'freelist trunk');
    const known = Array.from({ length: 80 }, (_, index) => `${'x'.repeat(100)}${index}`).join();
    await expect(start(folder.path, `--scrapers.known=${known}`)).rejects.toThrow(
      /^the server ended with 1: oneShotMetricsServer: can't write the log any more: [^\n]*start the server again[^\n]*\n?$/,
    );
    const again = await start(folder.path, `--scrapers.known=${known}`);
    expect(await metric(again, 'log_repairs_total{part="file"}')).toBe(1);
    expect(await again.end('SIGTERM')).toBe(0);
  });

  test.each([
    [
      "UPDATE scrapers SET record = json_remove(record, '$.position.halvings') WHERE id = 'a'",
      /the record of scraper "a" is damaged \(position\.halvings is missing; it must be a whole number from 0 to 20\); check it/,
    ],
    [
      "UPDATE meta SET value = 9007199254740991 WHERE key = 'trimmed'",
      /the table meta is damaged \(trimmed is 9007199254740991; it must be [ -~]*\); check it/,
    ],
  ])('%s: the start ends with one line, and 2', async (sql, line) => {
    using folder = temporaryFolder();
    const db = new DatabaseSync(await aStoppedLog(folder.path));
    db.exec(sql);
    db.close();
    const error = await start(folder.path).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(
      /the server ended with 2: oneShotMetricsServer: can't open the log [ -~]*\n?$/,
    );
    expect(String(error)).toMatch(line);
  });

  test.each(['scrapers leaf', 'sqlite_schema leaf'] as const)(
    '%s: the start ends with one line, and 2',
    async (place) => {
      using folder = temporaryFolder();
      await aDamagedLog(folder.path, place);
      for (let round = 0; round < 2; round += 1)
        await expect(start(folder.path)).rejects.toThrow(
          /^the server ended with 2: oneShotMetricsServer: can't open the log [ -~]*events\.db: [ -~]*(?:restore the file from a backup|not a database)[ -~]*\n?$/,
        );
    },
  );
});
