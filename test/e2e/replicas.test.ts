import { afterAll, beforeEach, expect, it } from 'vitest';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import { ServerProcess } from '../support/server.ts';

const isMissing = requirePostgres() === undefined;
const postgres = isMissing ? (undefined as unknown as Postgres) : await Postgres.start();
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

const LEASE_MS = 1_500;
const start = (schema: string, ...more: string[]) =>
  ServerProcess.start([
    '--store.kind=postgres',
    `--store.url=${postgres.url}`,
    `--store.schema=${schema}`,
    `--replicas.lease=${LEASE_MS}ms`,
    '--scrapers.known=a',
    ...more,
  ]);

const statusOf = async ({ url }: ServerProcess, path: string) => (await fetch(url + path)).status;
const leads = async (server: ServerProcess) => (await statusOf(server, '/-/leader')) === 200;
const post = async ({ url }: ServerProcess, n: string) =>
  (await fetch(`${url}/event?n=${n}`, { method: 'POST' })).status;
const scrape = async ({ url }: ServerProcess, id = 'a') =>
  (await fetch(`${url}/metrics?scraper=${id}`)).text();
const eventsOf = (body: string) =>
  Array.from(body.matchAll(/^events_to_metrics\{n="(\w+)"\}/gm), ([, n]) => n);

/** Until a server leads, in ms. */
async function untilLeads(server: ServerProcess): Promise<number> {
  const began = performance.now();
  await expect.poll(() => leads(server), { interval: 10, timeout: 10_000 }).toBe(true);
  return performance.now() - began;
}

it('a standby gives nothing, and leads within the lease and two seconds once the leader is killed', async () => {
  const first = await start('killed');
  const second = await start('killed');
  expect(await leads(first)).toBe(true);
  expect(await post(first, 'one')).toBe(200);
  expect(await statusOf(second, '/-/ready')).toBe(200);
  expect(await statusOf(second, '/-/leader')).toBe(503);
  const body = await scrape(second, 'nobody');
  expect(body).toContain('\nevents_to_metrics_leader 0\n');
  expect(eventsOf(body)).toEqual([]);
  const known = await (await fetch(`${first.url}/api/v1/scrapers`)).text();
  expect(known).not.toContain('nobody');
  await first.end('SIGKILL');
  expect(await untilLeads(second)).toBeLessThan(LEASE_MS + 2_000);
  const led = await scrape(second);
  expect(led).toContain('\nevents_to_metrics_leader 1\n');
  expect(eventsOf(led)).toEqual(['one']);
  expect(await post(second, 'two')).toBe(200);
  expect(eventsOf(await scrape(second))).toEqual(['two']);
  expect(await second.end('SIGTERM')).toBe(0);
});

it('G2: a leader that stops well hands over in under a second', async () => {
  const first = await start('stopped');
  const second = await start('stopped');
  expect(await post(first, 'one')).toBe(200);
  expect(eventsOf(await scrape(first))).toEqual(['one']);
  const ended = first.end('SIGTERM');
  const took = await untilLeads(second);
  expect(await ended).toBe(0);
  expect(took).toBeLessThan(1_000);
  expect(eventsOf(await scrape(second))).toEqual([]);
  expect(await second.end('SIGTERM')).toBe(0);
  console.log(`handed over in ${Math.round(took)} ms`);
});

it('G2: a leader that slept while another took over gives nothing, and stands by; it can lead again', async () => {
  const first = await start('slept');
  const second = await start('slept');
  expect(await post(first, 'one')).toBe(200);
  first.child.kill('SIGSTOP');
  await untilLeads(second);
  expect(eventsOf(await scrape(second))).toEqual(['one']);
  expect(await post(second, 'two')).toBe(200);
  first.child.kill('SIGCONT');
  // At once, before it can have heard of it.
  expect(eventsOf(await scrape(first))).toEqual([]);
  await expect.poll(() => first.output()).toContain('lost the lead; standing by');
  expect(await statusOf(first, '/-/ready')).toBe(200);
  expect(eventsOf(await scrape(second))).toEqual(['two']);
  expect(await post(second, 'three')).toBe(200);
  await second.end('SIGKILL');
  await untilLeads(first);
  expect(eventsOf(await scrape(first))).toEqual(['three']);
  expect(await post(first, 'four')).toBe(200);
  expect(eventsOf(await scrape(first))).toEqual(['four']);
  expect(await first.end('SIGTERM')).toBe(0);
});

it('G1, G2: every server takes posts; an id that comes to all of them at once is one event', async () => {
  const servers = [await start('posts'), await start('posts'), await start('posts')];
  const [leader, standby] = servers as [ServerProcess, ServerProcess];
  const answerOf = async (server: ServerProcess, path: string, init: RequestInit = {}) =>
    (await fetch(`${server.url}${path}`, { method: 'POST', ...init })).json();
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(
      servers.map((server) => answerOf(server, `/event?n=r${round}&__id__=id${round}`)),
    );
    expect(answers.filter((answer) => (answer as { accepted?: number }).accepted === 1)).toHaveLength(1);
    expect(answers.filter((answer) => (answer as { duplicate?: boolean }).duplicate === true)).toHaveLength(
      2,
    );
  }
  const one = await answerOf(standby, '/event?n=own');
  expect(one).toEqual({ accepted: 1, eventId: expect.stringMatching(/^r[\da-f]{16}-1$/) });
  const batch = {
    headers: { 'content-type': 'application/json', 'idempotency-key': 'batch' },
    body: JSON.stringify([
      { labels: { n: 'b1' }, id: 'id0' },
      { labels: { n: 'b2' }, id: 'b2' },
      { labels: { n: 'b3' } },
    ]),
  };
  expect(await answerOf(standby, '/event', batch)).toMatchObject({ accepted: 2, duplicates: 1 });
  expect(await answerOf(leader, '/event', batch)).toMatchObject({ accepted: 0, duplicates: 3 });
  const seen: (string | undefined)[] = [];
  await expect
    .poll(async () => {
      seen.push(...eventsOf(await scrape(leader)));
      return seen.length;
    })
    .toBe(23);
  expect(new Set(seen).size).toBe(23);
  for (const server of servers) expect(await server.end('SIGTERM')).toBe(0);
});
