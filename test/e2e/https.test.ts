import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../../src/access/tokens.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const PEMS = join(import.meta.dirname, '../golden/webConfig');
const CA_FILE = join(PEMS, 'ca.pem');
const CA = readFileSync(CA_FILE, 'utf8');
const ALICE = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';
const TOKEN = newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(5));
const WRITER = newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(6));
const EVENTS = 200;
/** Target discovery is polled every 5 s. */
const FIRST_SCRAPE = { timeout: 30_000, interval: 200 };

const binary = requirePrometheus('3.5');

function post(port: number, n: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/event?n=${n}`,
        ca: CA,
        servername: 'localhost',
        headers: { Authorization: `Bearer ${WRITER}`, 'Content-Length': 0 },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

const value = async (prometheus: Prometheus, promql: string): Promise<number | undefined> =>
  (await prometheus.query(promql))[0]?.samples[0]?.value;

test('G2: over TLS, a Prometheus with a password and one with a token each get every event once, proved by their sockets', async ({
  skip,
}) => {
  if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  using folder = temporaryFolder();
  const web = join(folder.path, 'web.yml');
  const tokens = join(folder.path, 'tokens.yml');
  mkdirSync(join(folder.path, 'data'));
  writeFileSync(
    web,
    `tls_server_config:\n  cert_file: ${join(PEMS, 'server.pem')}\n  key_file: ${join(PEMS, 'server.key')}\nbasic_auth_users:\n  alice: ${ALICE}\n`,
  );
  writeFileSync(
    tokens,
    tokenEntry({ name: 'prometheus-b', scopes: ['scrape'], hash: hashToken(TOKEN) }) +
      tokenEntry({ name: 'writer', scopes: ['write'], hash: hashToken(WRITER) }),
  );
  const server = await ServerProcess.start([
    `--store.path=${folder.path}/data`,
    `--web.config.file=${web}`,
    `--auth.tokens.file=${tokens}`,
    '--auth.users=alice=scrape',
    '--scrapers.byUser',
  ]);
  const job = {
    job_name: 'events',
    scheme: 'https',
    targets: [`127.0.0.1:${server.port}`],
    tls_config: { ca_file: CA_FILE, server_name: 'localhost' },
  };
  await using withPassword = new Prometheus({
    binary,
    scrapeConfigs: [{ ...job, basic_auth: { username: 'alice', password: 'alicesecret' } }],
  });
  await using withToken = new Prometheus({
    binary,
    scrapeConfigs: [{ ...job, authorization: { type: 'Bearer', credentials: TOKEN } }],
  });
  await using withNothing = new Prometheus({ binary, scrapeConfigs: [job] });
  await Promise.all([withPassword.start(), withToken.start(), withNothing.start()]);
  for (const prometheus of [withPassword, withToken])
    await expect.poll(() => value(prometheus, 'up{job="events"}'), FIRST_SCRAPE).toBe(1);
  await expect.poll(() => value(withNothing, 'up{job="events"}'), FIRST_SCRAPE).toBe(0);
  expect((await withNothing.targets())[0]?.lastError).toContain('401');

  for (let n = 0; n < EVENTS; n += 1) {
    expect(await post(server.port, n)).toBe(200);
    await sleep(25);
  }

  for (const prometheus of [withPassword, withToken]) {
    await expect
      .poll(() => value(prometheus, 'count(count_over_time(events_to_metrics[5m]))'), FIRST_SCRAPE)
      .toBe(EVENTS);
    expect(await value(prometheus, 'sum(count_over_time(events_to_metrics[5m]))')).toBe(EVENTS);
    expect(await value(prometheus, 'min_over_time(up{job="events"}[5m])')).toBe(1);
  }
  // The next request on the same socket is the proof, under TLS as without.
  const own = (outcome: string) =>
    value(withPassword, `events_to_metrics_deliveries_total{outcome="${outcome}"}`);
  await expect.poll(() => own('confirmed'), FIRST_SCRAPE).toBe(EVENTS * 2);
  for (const outcome of ['unproven', 'returned', 'doubtful', 'repeated']) expect(await own(outcome)).toBe(0);
  const known = await withPassword.query('events_to_metrics_scraper_counts');
  expect(known.map(({ metric }) => metric['scraper'])).toEqual(
    expect.arrayContaining(['alice', 'prometheus-b']),
  );
  expect(known).toHaveLength(2);
  expect(server.output()).not.toContain('"level":"warn"');
  expect(await server.end('SIGTERM')).toBe(0);
});
