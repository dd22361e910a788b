import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/freePort.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../support/postgres.ts';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess, spawnServer, temporaryFolder } from '../support/server.ts';

const isMissing = requirePostgres() === undefined;
const SECRET = 'no-one-may-see';
const USER = 'events';
const postgres = isMissing
  ? (undefined as unknown as Postgres)
  : await Postgres.start({
      hba: ['host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'],
    });
if (!isMissing)
  await postgres.query(
    `CREATE ROLE ${USER} LOGIN PASSWORD '${SECRET}'; GRANT CREATE ON DATABASE postgres TO ${USER}`,
  );
afterAll(() => (isMissing ? undefined : postgres[Symbol.asyncDispose]()));
beforeEach(({ skip }) => skip(isMissing, HOW_TO_GET_POSTGRES));

const urlOf = () => `postgres://${USER}:${SECRET}@127.0.0.1:${postgres.port}/postgres`;
const flagsOf = (schema: string) => [
  '--store.kind=postgres',
  `--store.url=${urlOf()}`,
  `--store.schema=${schema}`,
  '--scrapers.known=a,b',
];
const SCRAPERS = ['a', 'b'];

/** Of clients that go on until the server is killed. */
const NEVER = () => false;

/** What clients remember: what was accepted, and how often each scraper got each. */
class Memory {
  next = 0;
  failed = 0;
  readonly accepted = new Set<number>();
  readonly got = new Map(SCRAPERS.map((id) => [id, new Map<number, number>()]));

  async post(server: ServerProcess): Promise<number | undefined> {
    const n = (this.next += 1);
    try {
      const { status } = await fetch(`${server.url}/event?n=${n}`, { method: 'POST' });
      if (status === 200) this.accepted.add(n);
      else this.failed += 1;
      return status;
    } catch {
      // The server was killed.
      return undefined;
    }
  }

  /** Scrapes on one socket, until it ends or for so many rounds. */
  async scrape(server: ServerProcess, id: string, pauseMs: number, isOver: () => boolean): Promise<void> {
    const got = this.got.get(id) as Map<number, number>;
    try {
      const client = await RawClient.connect(server.port);
      while (!isOver()) {
        client.get(`/metrics?scraper=${id}`, { 'X-Prometheus-Scrape-Timeout-Seconds': '10' });
        const { status, body } = await client.response();
        expect(status).toBe(200);
        for (const [, n] of body.matchAll(/^events_to_metrics\{n="(\d+)"\} 1$/gm))
          got.set(Number(n), (got.get(Number(n)) ?? 0) + 1);
        await sleep(pauseMs);
      }
    } catch (error) {
      if (isOver !== NEVER) throw error;
    }
  }

  /** Scrapes until nothing new comes. */
  async drain(server: ServerProcess): Promise<void> {
    for (const id of SCRAPERS) {
      let left = 10;
      await this.scrape(server, id, 20, () => (left -= 1) < 0);
    }
  }

  /** What is missing, and how many came more than once. */
  verdict(): { missing: number[]; twice: number } {
    const all = [...this.got.values()];
    return {
      missing: [...this.accepted].filter((n) => all.some((got) => !got.has(n))),
      twice: all.flatMap((got) => [...got.values()]).filter((times) => times > 1).length,
    };
  }
}

/** A server stands by until the lease of the one before, which was killed, is over. */
async function untilLeads({ url }: ServerProcess): Promise<void> {
  await expect.poll(async () => (await fetch(`${url}/-/leader`)).status, { interval: 20 }).toBe(200);
}

async function metric(server: ServerProcess, name: string): Promise<number> {
  const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  const line = body.split('\n').find((each) => each.startsWith(`events_to_metrics_${name} `));
  return Number(line?.split(' ')[1]);
}

it('G1, G2, G4: killed at random moments, nothing accepted is missing, and what comes twice is counted', async () => {
  const memory = new Memory();
  let doubtful = 0;
  let server = await ServerProcess.start(flagsOf('killed'));
  for (let round = 0; round < 5; round += 1) {
    const enough = memory.accepted.size + 100;
    const clients = [
      ...Array.from({ length: 4 }, async () => {
        while ((await memory.post(server)) !== undefined);
      }),
      ...SCRAPERS.map((id, index) => memory.scrape(server, id, 5 + index * 20, NEVER)),
    ];
    await expect.poll(() => memory.accepted.size, { interval: 5 }).toBeGreaterThan(enough);
    await server.end('SIGKILL');
    await Promise.all(clients);
    server = await ServerProcess.start(flagsOf('killed'));
    await untilLeads(server);
    doubtful += await metric(server, 'deliveries_total{outcome="doubtful"}');
  }
  await memory.drain(server);
  expect(await server.end('SIGTERM')).toBe(0);
  const { missing, twice } = memory.verdict();
  expect(missing).toEqual([]);
  expect(twice).toBeLessThanOrEqual(doubtful);
  console.log(`${memory.accepted.size} accepted, ${twice} twice, ${doubtful} doubtful`);
});

it('G1, G2: while the database restarts under load, no post fails, nothing is missing and nothing comes twice', async () => {
  const memory = new Memory();
  const server = await ServerProcess.start(flagsOf('restarted'));
  const over = new AbortController();
  const { signal } = over;
  const clients = [
    ...Array.from({ length: 8 }, async () => {
      while (!signal.aborted) await memory.post(server);
    }),
    ...SCRAPERS.map((id, index) => memory.scrape(server, id, 10 + index * 20, () => signal.aborted)),
  ];
  for (const how of ['fast', 'immediate', 'fast', 'immediate'] as const) {
    await sleep(500);
    await postgres.restart(how);
  }
  await sleep(500);
  over.abort();
  await Promise.all(clients);
  await memory.drain(server);
  expect(memory.verdict()).toEqual({ missing: [], twice: 0 });
  expect(memory.failed).toBe(0);
  expect(memory.accepted.size).toBeGreaterThan(500);
  expect(await server.end('SIGTERM')).toBe(0);
});

it('while the database is away, posts get 503, scrapes no events, and it comes back by itself', async () => {
  await using own = await Postgres.start();
  const memory = new Memory();
  const server = await ServerProcess.start([
    '--store.kind=postgres',
    `--store.url=${own.url}`,
    '--scrapers.known=a,b',
  ]);
  expect(await memory.post(server)).toBe(200);
  await own.stop();
  // The first wait for it.
  const answers = await Promise.all([0, 1].map(() => fetch(`${server.url}/event?n=0`, { method: 'POST' })));
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.text()).toContain("the database can't be used now, and nothing was stored");
  }
  expect(await memory.post(server)).toBe(503);
  const scraped = await fetch(`${server.url}/metrics?scraper=a`);
  const body = await scraped.text();
  expect(scraped.status).toBe(200);
  expect(body).not.toContain('events_to_metrics{');
  expect(body).toContain('events_to_metrics_store_up 0');
  expect(body).toContain('events_to_metrics_scrapes_withheld_total 1');
  expect((await fetch(`${server.url}/-/healthy`)).status).toBe(200);
  await own.run();
  await expect.poll(() => metric(server, 'store_up')).toBe(1);
  expect(await memory.post(server)).toBe(200);
  await memory.drain(server);
  expect(memory.verdict()).toEqual({ missing: [], twice: 0 });
  expect(await server.end('SIGTERM')).toBe(0);
  expect(server.output()).toContain("the database can't be used; trying again");
  expect(server.output()).toContain(
    'accepted events survive a loss of power, but not the loss of the machine',
  );
});

it('stops well while the database is away', async () => {
  await using own = await Postgres.start();
  const server = await ServerProcess.start(['--store.kind=postgres', `--store.url=${own.url}`]);
  await own.stop();
  expect(await server.end('SIGTERM')).toBe(0);
});

describe('a start', () => {
  const start = async (flags: readonly string[], env: Record<string, string> = {}) => {
    using folder = temporaryFolder();
    const { exited, output } = spawnServer(
      ['--server.host=127.0.0.1', '--server.port=0', '--store.kind=postgres', ...flags],
      { env, cwd: folder.path },
    );
    return { code: await exited, output: output() };
  };

  it.each([
    ['without a database', [], {}, /needs to know where the database is; set store\.url/],
    [
      'with a URL of something else',
      ['--store.url=http://x:hidden@y'],
      {},
      /store\.url \(flag --store\.url\) is no URL/,
    ],
    [
      'with two URLs',
      ['--store.url=postgres://a@b', '--store.urlFile=/none'],
      {},
      /store\.url and store\.urlFile are both set/,
    ],
    [
      'with a file that is missing',
      ['--store.urlFile=/none/url'],
      {},
      /store\.urlFile: .*"\/none\/url" is missing/,
    ],
    [
      'with a schema that can not be',
      ['--store.schema=pg_x', '--store.url=postgres://a@b'],
      {},
      /store\.schema/,
    ],
  ])('%s ends with one line', async (_, flags, env, message) => {
    const { code, output } = await start(flags, env);
    expect({ code, lines: output.trimEnd().split('\n').length, output }).toMatchObject({ code: 2, lines: 1 });
    expect(output).toMatch(message);
    expect(output).not.toContain('hidden');
  });

  it('with a wrong password ends with one line, which does not show it', async () => {
    const { code, output } = await start([`--store.url=${urlOf().replace(SECRET, 'wrong-one')}`]);
    expect({ code, lines: output.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(output).toMatch(/password authentication failed for user "events" \(28P01\); check store\.url/);
    expect(output).not.toContain('wrong-one');
  });

  it('takes the PG* variables, and shows no secret', async () => {
    const env = {
      PGHOST: '127.0.0.1',
      PGPORT: String(postgres.port),
      PGUSER: USER,
      PGPASSWORD: SECRET,
      PGDATABASE: 'postgres',
    };
    const flags = ['--store.kind=postgres', '--store.schema=variables'];
    const server = await ServerProcess.start(flags, { env });
    expect((await fetch(`${server.url}/event?a=1`, { method: 'POST' })).status).toBe(200);
    expect(await server.end('SIGTERM')).toBe(0);
    expect(server.output()).toContain(
      `PostgreSQL at 127.0.0.1:${postgres.port}, database postgres, schema variables`,
    );
    const printed = await start(['--print-config'], env);
    expect(printed.output).toContain('store.url = ***');
    for (const output of [server.output(), printed.output]) expect(output).not.toContain(SECRET);
  });

  it('that waits for its database ends when it is asked to', async () => {
    const url = `postgres://a@127.0.0.1:${await freePort()}/b`;
    const flags = [
      '--server.host=127.0.0.1',
      '--server.port=0',
      '--store.kind=postgres',
      `--store.url=${url}`,
    ];
    const { child, exited, output } = spawnServer(flags);
    await sleep(1_500);
    expect(child.exitCode, output()).toBe(null);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output()).toContain('stopped while starting');
  });
});
