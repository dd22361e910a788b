import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SqliteLog } from '../../src/log/sqlite/sqliteLog.ts';
import { readAll } from '../contract/support/builders.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const KILLS = 25;
const CLIENTS = 6;
const BATCH = 3;

/** What is sent for one number, and sent again in the same way until it is answered: its events carry `n`, `n.1`, `n.2` …. */
type Push = (url: string, n: number) => Promise<Response>;

const post = (url: string, query: string, headers: Record<string, string>, body?: string) =>
  fetch(`${url}/event${query}`, { method: 'POST', headers, body: body ?? null });
const numbers = (n: number) => [`${n}`, `${n}.1`, `${n}.2`].slice(0, BATCH);

/** Every way to give an id. Those of one number at a time are pushed twice at the same moment. */
const PUSHES: readonly Push[] = [
  (url, n) => post(url, `?n=${n}`, { 'idempotency-key': `key ${n}` }),
  (url, n) => post(url, `?n=${n}&__id__=id-${n}`, {}),
  (url, n) => {
    const events = numbers(n).map((each) => ({ labels: { n: each }, id: each }));
    return post(url, '', { 'content-type': 'application/json' }, JSON.stringify(events));
  },
  (url, n) => {
    const lines = numbers(n).map((each) => JSON.stringify({ labels: { n: each } }));
    const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': `batch ${n}` };
    return post(url, '', headers, lines.join('\n'));
  },
  (url, n) =>
    post(url, `?n=${n}`, { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/test', 'ce-id': `${n}` }),
];
const isBatch = (n: number) => [2, 3].includes(n % PUSHES.length);

it(`G1, G4: under ${KILLS} kills, events that are sent again under their ids until they are answered are in the log once each`, async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/data`;
  const expected: string[] = [];
  let next = 0;
  /** Undefined while no server runs. */
  let url: string | undefined;
  const over = new AbortController();
  let retries = 0;

  const pushed = async (n: number): Promise<void> => {
    for (;;) {
      try {
        if (url !== undefined) {
          const answer = await (PUSHES[n % PUSHES.length] as Push)(url, n);
          const text = await answer.text();
          // A CloudEvent is answered without a body.
          if (answer.status === 200 || answer.status === 204) return;
          expect(answer.status, text).toBe(503);
        }
      } catch (error) {
        // The connection went with the process.
        if (!(error instanceof TypeError)) throw error;
        retries += 1;
      }
      await sleep(10);
    }
  };
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const n = (next += 1);
      await Promise.all([pushed(n), pushed(n)]);
      expected.push(...(isBatch(n) ? numbers(n) : [`${n}`]));
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);

  for (let kill = 0; kill <= KILLS; kill += 1) {
    const server = await ServerProcess.start([`--store.path=${path}`]);
    ({ url } = server);
    // By what was stored and not by the clock, so that a busy machine kills at busy moments, too.
    const enough = expected.length + 5 + ((kill * 37) % 40);
    await expect.poll(() => expected.length, { timeout: 60_000, interval: 1 }).toBeGreaterThan(enough);
    await sleep(kill % 5);
    if (kill < KILLS) {
      const ended = server.end('SIGKILL');
      url = undefined;
      await ended;
      continue;
    }
    over.abort();
    await Promise.all(clients);
    expect(await server.end('SIGTERM')).toBe(0);
  }

  await using log = new SqliteLog({ path, durability: 'process' });
  await log.start();
  const entries = await readAll(log);
  const stored = entries.map(({ series }) => /n="([^"]*)"/.exec(series)?.[1] ?? series);
  console.log(`${KILLS} kills: ${stored.length} events of ${next} pushes, ${retries} retries`);
  expect(stored.length).toBeGreaterThan(KILLS * 6);
  expect(retries).toBeGreaterThan(KILLS);
  expect(stored.toSorted()).toEqual(expected.toSorted());
});
