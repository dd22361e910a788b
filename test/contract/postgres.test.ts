import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { offset } from '../../src/core/offset.ts';
import type { StoreNews } from '../../src/log/log.ts';
import { LogDamagedError, LogOpenError, OwnershipLostError } from '../../src/log/log.ts';
import type { PostgresTls } from '../../src/log/postgres/place.ts';
import { PostgresLog } from '../../src/log/postgres/postgresLog.ts';
import type { Fault } from '../support/databaseProxy.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import { anEvent, aScraper, at, events, newIds, readAll, settles, values } from './support/builders.ts';
import { started } from './support/logs.ts';
import { aLogBehind, aProxy } from './support/postgresLogs.ts';

const isMissing = requirePostgres() === undefined;
const postgres = isMissing ? (undefined as unknown as Postgres) : await Postgres.start();
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const brokenBy = (log: PostgresLog): Promise<Error> => new Promise((resolve) => log.onBroken(resolve));

describe('whose log it is', () => {
  test('a log that a living server has is not opened, and the first goes on', async () => {
    const place = postgres.place();
    const first = await started(new PostgresLog(place));
    await first.append(events(1));
    const began = performance.now();
    await expect(new PostgresLog(place).start()).rejects.toThrow(
      /another server uses the schema "test_\w+"; stop that server, or choose another store\.schema/,
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    await first.append(events(1, 2));
    expect(values(await readAll(first))).toEqual([1, 2]);
  });

  test('one that was stopped well is opened at once', async () => {
    const place = postgres.place();
    const first = new PostgresLog(place);
    await first.start();
    await first.append(events(1));
    await first[Symbol.asyncDispose]();
    const began = performance.now();
    const second = await started(new PostgresLog(place));
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(values(await readAll(second))).toEqual([1]);
  });

  test('who slept while another took it writes nothing, and hears of it', async () => {
    const place = postgres.place();
    const log = await started(new PostgresLog(place));
    await log.append(events(1));
    await log.saveScraper(aScraper());
    await postgres.query(`UPDATE "${place.schema}".log SET epoch = epoch + 1, holder = 'other'`);
    const broken = brokenBy(log);
    const calls = [
      log.append(events(1, 2), newIds('a')),
      log.saveScraper(aScraper({ version: 2 })),
      log.saveNote('a', 'b'),
      log.trim(offset(1)),
    ];
    expect(await broken).toBeInstanceOf(OwnershipLostError);
    for (const call of calls) expect(await settles(call)).toBe(false);
    const [counts] = await postgres.query(
      `SELECT (SELECT count(*) FROM "${place.schema}".blocks), (SELECT count(*) FROM "${place.schema}".ids), (SELECT count(*) FROM "${place.schema}".notes), (SELECT max(version) FROM "${place.schema}".scrapers)`,
    );
    expect(counts).toEqual(['1', '0', '0', '1']);
  });

  test(
    'several that start at once on a new database: one has it, the others say so',
    { timeout: 20_000 },
    async () => {
      const place = postgres.place();
      const logs = Array.from({ length: 6 }, () => new PostgresLog(place));
      const opened = await Promise.allSettled(logs.map((log) => log.start()));
      onTestFinished(async () => {
        for (const log of logs) await log[Symbol.asyncDispose]();
      });
      expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of opened)
        if (each.status === 'rejected')
          expect(String(each.reason)).toContain('another server uses the schema');
    },
  );
});

describe('a statement whose outcome is unknown', () => {
  test.each<[Fault]>([['statement lost'], ['answer lost'], ['statement late']])(
    '%s: it is looked up, and all is there once',
    async (fault) => {
      const proxy = await aProxy(postgres);
      const { log, told, news } = await aLogBehind(postgres, proxy);
      await log.append(events(2), newIds('a'));
      proxy.strike(fault);
      const calls = [
        log.append(events(3, 3), newIds('b')),
        log.saveScraper(aScraper()),
        log.saveNote('key', 'text'),
        log.append(events(1, 6), newIds('c')),
      ];
      expect((await Promise.all(calls)).filter(Boolean)).toEqual([3, 6]);
      expect(proxy.struck).toBe(1);
      await sleep(500);
      await log.append(events(1, 7));
      expect(told).toEqual(upTo(7));
      const all = await readAll(log);
      expect(values(all)).toEqual(upTo(7));
      expect(all.map((entry) => entry.offset)).toEqual(upTo(7));
      expect(await log.loadScrapers()).toEqual([aScraper()]);
      expect(await log.loadNote('key')).toBe('text');
      expect([...(await log.knownIds(['a', 'b', 'c'])).values()]).toEqual([
        { first: 1, count: 1 },
        { first: 3, count: 1 },
        { first: 6, count: 1 },
      ]);
      expect(log.state()).toMatchObject({ end: 7, entries: 7, ids: 3, store: { isAway: false } });
      expect(news.map(({ kind }) => kind)).toEqual(['worth', 'away', 'back']);
    },
  );

  test('one that comes late, when what it brings was written again and changed since, does nothing', async () => {
    const proxy = await aProxy(postgres);
    const { log } = await aLogBehind(postgres, proxy);
    proxy.strike('statement late');
    await log.saveNote('key', 'old');
    await log.saveNote('key', 'new');
    expect(proxy.struck).toBe(1);
    await sleep(600);
    expect(await log.loadNote('key')).toBe('new');
  });

  test('trims and forgotten ids, too', async () => {
    const proxy = await aProxy(postgres);
    const { log } = await aLogBehind(postgres, proxy);
    await log.append(events(10), newIds('a', 'b', 'c'));
    proxy.strike('answer lost');
    await log.trim(offset(10));
    expect(log.state()).toMatchObject({ trimmed: 10, entries: 0 });
    proxy.strike('answer lost');
    await log.forgetIds(at(0), 1);
    proxy.strike('answer lost');
    await log.refreshIds(['c'], at(1e6), at(1e6));
    expect(proxy.struck).toBe(3);
    expect(log.state().ids).toBe(1);
    await log.append([anEvent({ arrived: at(50) })], newIds('d'));
    expect(await log.forgetIds(at(0), 1)).toBe(1);
    expect([...(await log.knownIds(['a', 'b', 'c', 'd'])).keys()]).toEqual(['d']);
  });
});

describe('what the database says', () => {
  test('commits that it has lost end the log, instead of giving their offsets again', async () => {
    const proxy = await aProxy(postgres);
    const { log, place } = await aLogBehind(postgres, proxy);
    await log.append(events(3));
    await log.append(events(3, 4));
    const broken = brokenBy(log);
    proxy.cutOff();
    await postgres.query(
      `DELETE FROM "${place.schema}".blocks WHERE last > 3; UPDATE "${place.schema}".log SET written = written - 1`,
    );
    proxy.restore();
    const call = log.append(events(1, 7));
    expect(await broken).toBeInstanceOf(LogDamagedError);
    expect((await broken).message).toContain('has lost what it had confirmed');
    expect(await settles(call)).toBe(false);
  });

  test.each([
    ['fsync=on', 'power', 'it has no synchronous standby'],
    ['synchronous_commit=off', 'process', 'synchronous_commit is off'],
  ])('%s: it is told what its commits survive', { timeout: 30_000 }, async (setting, survives, why) => {
    await using own = await Postgres.start({ settings: [setting] });
    const log = new PostgresLog(own.place());
    const news: StoreNews[] = [];
    log.onStore((each) => news.push(each));
    await log.start();
    expect(news).toEqual([{ kind: 'worth', survives, why }]);
    expect(log.state().store).toEqual({ isAway: false, survives, why });
    await log[Symbol.asyncDispose]();
  });

  test('a user who may not make the schema gets one line that says what to run', async () => {
    const place = postgres.place({ user: 'poor' });
    await postgres.query('CREATE ROLE poor LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC');
    await expect(new PostgresLog(place).start()).rejects.toThrow(
      `run as a user who may: CREATE SCHEMA "${place.schema}" AUTHORIZATION "poor"`,
    );
    await postgres.query(`CREATE SCHEMA "${place.schema}" AUTHORIZATION "poor"`);
    const log = await started(new PostgresLog(place));
    expect(await log.append(events(1))).toBe(1);
  });

  test.each([
    [
      'a user who is not there',
      { user: 'nobody' },
      /role "nobody" does not exist \(28000\); check store\.url/,
    ],
    [
      'a database that is not there',
      { database: 'none' },
      /database "none" does not exist \(3D000\); check store\.url/,
    ],
    [
      'TLS that it does not have',
      {
        tls: {
          isOptional: false,
          checks: 'nothing',
          authorityFile: undefined,
          certificateFile: undefined,
          keyFile: undefined,
        },
      },
      /does not support SSL connections/,
    ],
    [
      'a file that is missing',
      {
        tls: {
          isOptional: false,
          checks: 'nothing',
          authorityFile: '/none.pem',
          certificateFile: undefined,
          keyFile: undefined,
        },
      },
      /ENOENT.*\/none\.pem.*check the path/,
    ],
  ] as const)('%s: the start says so at once', async (_, given, message) => {
    const began = performance.now();
    const start = new PostgresLog(postgres.place(given)).start();
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toBeInstanceOf(LogOpenError);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a schema of another version is left as it is', async () => {
    const place = postgres.place();
    const log = new PostgresLog(place);
    await log.start();
    await log[Symbol.asyncDispose]();
    await postgres.query(`UPDATE "${place.schema}".log SET version = 99`);
    await expect(new PostgresLog(place).start()).rejects.toThrow(/another version wrote the schema \w+ \(99/);
  });

  test('a block that is damaged, or missing, is passed over and told once', async () => {
    const place = postgres.place();
    const log = await started(new PostgresLog(place));
    const damages: unknown[] = [];
    log.onDamage((damage) => damages.push(damage));
    for (const first of [1, 4, 7, 10]) await log.append(events(3, first));
    await postgres.query(
      `UPDATE "${place.schema}".blocks SET checksum = 1 WHERE last = 6; DELETE FROM "${place.schema}".blocks WHERE last = 9`,
    );
    for (let time = 0; time < 2; time += 1) {
      const read = await log.read(offset(0), offset(12), { entriesMax: 100, bytesMax: Infinity });
      expect(values(read.entries)).toEqual([1, 2, 3, 10, 11, 12]);
      expect(read).toMatchObject({ upTo: 12, lost: 6 });
    }
    expect(damages).toHaveLength(1);
    await postgres.query(`DELETE FROM "${place.schema}".blocks WHERE last = 12`);
    expect(await log.read(offset(9), offset(12), { entriesMax: 100, bytesMax: Infinity })).toEqual({
      entries: [],
      upTo: 12,
      lost: 3,
    });
  });

  test('rights that are taken away reject what is called, until they are back', async () => {
    const place = postgres.place({ user: 'rich' });
    await postgres.query(`CREATE ROLE rich LOGIN; CREATE SCHEMA "${place.schema}" AUTHORIZATION rich`);
    const log = await started(new PostgresLog(place));
    await log.append(events(1));
    await postgres.query(`ALTER TABLE "${place.schema}".blocks OWNER TO postgres`);
    await expect(log.append(events(1, 2))).rejects.toThrow(/permission denied for table blocks \(42501\)/);
    await postgres.query(`ALTER TABLE "${place.schema}".blocks OWNER TO rich`);
    expect(await log.append(events(1, 2))).toBe(2);
  });
});

describe('TLS', async () => {
  const pem = (name: string) => join(import.meta.dirname, '../golden/webConfig', name);
  const secure = isMissing
    ? (undefined as unknown as Postgres)
    : await Postgres.start({
        settings: ['listen_addresses=127.0.0.1,127.0.0.2', 'fsync=off'],
        hba: [
          'host all postgres 127.0.0.1/32 trust',
          'hostssl all client 127.0.0.0/8 cert',
          'hostssl all other 127.0.0.0/8 trust',
        ],
        pems: pem(''),
      });
  if (!isMissing)
    await secure.query(
      'CREATE ROLE client LOGIN; CREATE ROLE other LOGIN; GRANT CREATE ON DATABASE postgres TO client, other',
    );
  afterAll(() => (isMissing ? undefined : secure[Symbol.asyncDispose]()));

  const [ca, client] = [
    { authorityFile: pem('ca.pem') },
    { certificateFile: pem('client.pem'), keyFile: pem('client.key') },
  ];
  const open = async (user: string, given: Partial<PostgresTls>, host = '127.0.0.1') => {
    const tls: PostgresTls = {
      isOptional: false,
      checks: 'authority and host',
      authorityFile: undefined,
      certificateFile: undefined,
      keyFile: undefined,
      ...given,
    };
    const log = new PostgresLog(secure.place({ hosts: [{ host, port: secure.port }], user, tls }));
    await log.start();
    onTestFinished(() => log[Symbol.asyncDispose]());
    return log.append(events(1));
  };

  test.each<[string, string, Partial<PostgresTls>, string?]>([
    ['by an authority, a host and a client certificate', 'client', { ...ca, ...client }],
    ['by an authority, whatever the host', 'other', { ...ca, checks: 'authority' }, '127.0.0.2'],
    ['by nothing', 'other', { checks: 'nothing' }, '127.0.0.2'],
    ['where that is optional', 'other', { checks: 'nothing', isOptional: true }],
  ])('a server is taken %s', async (_, ...given) => {
    expect(await open(...given)).toBe(1);
  });

  test.each<[string, RegExp, string, Partial<PostgresTls>, string?]>([
    ['an unknown authority', /self-signed certificate/, 'other', {}],
    ['the certificate of another host', /does not match certificate/, 'other', ca, '127.0.0.2'],
    ['no client certificate, where one is asked for', /valid client certificate \(28000\)/, 'client', ca],
  ])('%s: the start ends with one line', async (_, message, user, given, host) => {
    const began = performance.now();
    await expect(open(user, given, host)).rejects.toThrow(message);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a server that asks for TLS says so', async () => {
    const start = new PostgresLog(secure.place({ user: 'other' })).start();
    await expect(start).rejects.toThrow(/no pg_hba.conf entry.*no encryption \(28000\); check store.url/);
  });

  test('a server without TLS is taken where that is optional', async () => {
    const tls: PostgresTls = {
      isOptional: true,
      checks: 'nothing',
      authorityFile: undefined,
      certificateFile: undefined,
      keyFile: undefined,
    };
    const log = await started(new PostgresLog(postgres.place({ tls })));
    expect(await log.append(events(1))).toBe(1);
  });
});
