import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { IdTakenError } from '../../src/log/ids.ts';
import type { Inbox, InboxPost, WaitingPost } from '../../src/log/inbox.ts';
import { LeadershipLostError, OwnershipLostError } from '../../src/log/log.ts';
import { InboxWriter } from '../../src/log/postgres/inboxWriter.ts';
import type { PostgresPlace } from '../../src/log/postgres/place.ts';
import { PostgresLog } from '../../src/log/postgres/postgresLog.ts';
import type { Fault } from '../support/databaseProxy.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import { anEvent, at, events, newIds, readAll, values } from './support/builders.ts';
import { started } from './support/logs.ts';
import { aProxy } from './support/postgresLogs.ts';

const isMissing = requirePostgres() === undefined;
const postgres = isMissing ? (undefined as unknown as Postgres) : await Postgres.start();
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

function anInbox(place: PostgresPlace): Inbox {
  const inbox = new InboxWriter(place);
  onTestFinished(() => inbox[Symbol.asyncDispose]());
  return inbox;
}

async function aSharedLog(place: PostgresPlace): Promise<PostgresLog> {
  return started(new PostgresLog(place, { standsBy: true }));
}

/** A post of events with these values, each with an id, or, for undefined, without. */
function aPost(ids: readonly (string | undefined)[], requestId?: string): InboxPost {
  const { series } = anEvent();
  return {
    events: ids.map((id, index) => ({ series, value: index + 1, time: at(1), id })),
    requestId,
    arrived: at(1),
  };
}

/** Moves all that waits, as the leader does. */
async function moveAll(log: PostgresLog): Promise<readonly WaitingPost[]> {
  const posts = await log.readInbox();
  const all = posts.flatMap((post) => post.events);
  const entries = all.map(({ series, value, time }) => anEvent({ series, value, time }));
  const ids = all.flatMap(({ hash }, index) => (hash === undefined ? [] : [{ hash, at: index, count: 1 }]));
  await log.move(
    posts.map(({ key }) => key),
    entries,
    ids,
  );
  return posts;
}

describe('what is put into the inbox', () => {
  test('is known to all servers at once, and is moved once', async () => {
    const place = postgres.place();
    const log = await aSharedLog(place);
    const [a, b] = [anInbox(place), anInbox(place)];
    const rounds = Array.from({ length: 30 }, (_, round) => `id${round}`);
    const told = await Promise.all(rounds.flatMap((id) => [a.put(aPost([id])), b.put(aPost([id]))]));
    expect(told.filter(({ known }) => known.size === 0)).toHaveLength(30);
    expect([...(await log.knownIds(['id7'])).entries()]).toEqual([['id7', undefined]]);
    await moveAll(log);
    expect(await log.readInbox()).toEqual([]);
    expect(values(await readAll(log))).toHaveLength(30);
    expect(log.state()).toMatchObject({ ids: 30, entries: 30 });
    const place7 = (await log.knownIds(['id7'])).get('id7');
    expect(place7?.count).toBe(1);
    await log.forgetIds(at(0), 10);
    expect(log.state().ids).toBe(10);
  });

  test('a request that is known puts nothing, and none of its new ids is known by it', async () => {
    const place = postgres.place();
    const log = await aSharedLog(place);
    const inbox = anInbox(place);
    expect(await inbox.put(aPost(['a', undefined], 'r'))).toMatchObject({ isKnownRequest: false });
    expect(await inbox.put(aPost(['new'], 'r'))).toMatchObject({ isKnownRequest: true });
    expect((await inbox.put(aPost(['new']))).known).toEqual(new Set());
    const posts = await log.readInbox();
    expect(posts.map((post) => post.events.length)).toEqual([2, 1]);
  });

  test('values that JSON has no number for come through', async () => {
    const place = postgres.place();
    const log = await aSharedLog(place);
    const inbox = anInbox(place);
    const post = aPost([undefined, undefined, undefined, undefined]);
    const odd = [NaN, Infinity, -Infinity, -0];
    await inbox.put({
      ...post,
      events: post.events.map((event, index) => ({ ...event, value: odd[index] as number })),
    });
    const [waiting] = await log.readInbox();
    expect(waiting?.events.map(({ value }) => value)).toEqual(odd);
  });

  test.each<[Fault]>([['statement lost'], ['answer lost'], ['statement late']])(
    '%s: it is looked up, and each is there once',
    async (fault) => {
      const proxy = await aProxy(postgres);
      const place = postgres.place();
      const log = await aSharedLog(place);
      const inbox = anInbox({ ...place, hosts: [{ host: '127.0.0.1', port: proxy.port }] });
      await inbox.put(aPost(['first']));
      proxy.strike(fault);
      const told = await Promise.all([inbox.put(aPost(['first'])), inbox.put(aPost(['x', undefined]))]);
      expect(proxy.struck).toBe(1);
      expect(told.map(({ known }) => [...known])).toEqual([['first'], []]);
      await sleep(600);
      await moveAll(log);
      expect(values(await readAll(log))).toEqual([1, 1, 2]);
    },
  );

  test('also where the leader has moved it before that', async () => {
    const proxy = await aProxy(postgres);
    const place = postgres.place();
    const log = await aSharedLog(place);
    const inbox = anInbox({ ...place, hosts: [{ host: '127.0.0.1', port: proxy.port }] });
    await inbox.put(aPost(['first']));
    proxy.strike('answer lost');
    const told = inbox.put(aPost(['x']));
    await expect.poll(async () => (await log.readInbox()).length, { interval: 1 }).toBe(2);
    await moveAll(log);
    expect([...(await told).known]).toEqual([]);
    expect(values(await readAll(log))).toHaveLength(2);
  });

  test(
    'while the database is away, what waits is refused after a while, and later posts are taken',
    { timeout: 60_000 },
    async () => {
      await using own = await Postgres.start();
      const place = own.place();
      const log = await aSharedLog(place);
      const inbox = anInbox(place);
      await inbox.put(aPost(['first']));
      await own.stop();
      // Until it is seen that the connection ended, nobody can tell what becomes of a post.
      await sleep(100);
      const refused = "the database can't be used now";
      await expect(inbox.put(aPost(['x']))).rejects.toThrow(refused);
      await expect(inbox.put(aPost(['y']))).rejects.toThrow(refused);
      await own.run();
      expect((await inbox.put(aPost(['z']))).known.size).toBe(0);
      await expect.poll(() => log.state().store?.isAway).toBe(false);
      await moveAll(log);
      expect(values(await readAll(log))).toHaveLength(2);
      await log[Symbol.asyncDispose]();
      await inbox[Symbol.asyncDispose]();
    },
  );
});

describe('the leader', () => {
  test('is told of an id that another server has put since it asked', async () => {
    const place = postgres.place();
    const log = await aSharedLog(place);
    await anInbox(place).put(aPost(['a']));
    const calls = [log.append(events(1), newIds('a')), log.append(events(1, 2)), log.saveNote('k', 'v')];
    await expect(calls[0]).rejects.toThrow(IdTakenError);
    await Promise.all(calls.slice(1));
    expect(values(await readAll(log))).toEqual([2]);
    await log.append(events(1, 3), newIds('b'));
    expect(values(await readAll(log))).toEqual([2, 3]);
  });

  test('that has lost the log moves nothing, and tells all who wait', async () => {
    const place = postgres.place();
    const log = await aSharedLog(place);
    const inbox = anInbox(place);
    await inbox.put(aPost(['a']));
    await postgres.query(`UPDATE "${place.schema}".log SET epoch = epoch + 1, holder = 'other'`);
    const broken = new Promise((resolve) => log.onBroken(resolve));
    await expect(moveAll(log)).rejects.toThrow(LeadershipLostError);
    expect(await broken).toBeInstanceOf(OwnershipLostError);
    await expect(log.append(events(1))).rejects.toThrow(LeadershipLostError);
    expect(log.isOwned()).toBe(false);
    const [[waiting] = []] = await postgres.query(`SELECT count(*) FROM "${place.schema}".inbox`);
    expect(Number(waiting)).toBe(1);
  });
});
