import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const DISK_BYTES = 8 << 20;
const BALLAST_BYTES = 3 << 20;
const POSTS_MAX = 5_000;

/** A small disk of its own. Needs the right to mount; in CI that is required. */
function mountSmallDisk(path: string): { [Symbol.dispose](): void } | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (cause) {
    if ((process.env['CI'] ?? '') !== '') throw new Error('CI must be able to mount a tmpfs', { cause });
    return undefined;
  }
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', path], { stdio: 'pipe' }) };
}

test('G1, G7: a full disk refuses new events with 503, keeps serving scrapes, and takes events again when there is room', async ({
  skip,
}) => {
  using folder = temporaryFolder();
  using disk = mountSmallDisk(folder.path);
  if (disk === undefined) throw skip('mounting a small tmpfs needs root');
  const ballast = join(folder.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
  const server = await ServerProcess.start([
    `--store.path=${folder.path}/data`,
    '--event.labelValueMax=4KiB',
  ]);
  const scraper = await RawClient.connect(server.port);
  const got: number[] = [];
  const scrape = async () => {
    scraper.get('/metrics?scraper=a');
    const { status, body } = await scraper.response();
    expect(status).toBe(200);
    for (const [, n] of body.matchAll(/^events_to_metrics\{n="(\d+)"/gm)) got.push(Number(n));
    return body;
  };
  await scrape();

  const accepted: number[] = [];
  const post = async (n: number) => {
    const answer = await fetch(`${server.url}/event?n=${n}&text=${'x'.repeat(4_000)}`, { method: 'POST' });
    if (answer.status === 200) accepted.push(n);
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      body: await answer.text(),
    };
  };

  let n = 0;
  let refused: Awaited<ReturnType<typeof post>> | undefined;
  while (refused === undefined && n < POSTS_MAX) {
    const answer = await post((n += 1));
    if (answer.status !== 200) refused = answer;
  }
  expect(refused?.status).toBe(503);
  expect(refused?.retryAfter).toBe('5');
  expect(refused?.body).toMatch(/no (?:room|space)|full/);
  expect((await post((n += 1))).status).toBe(503);

  // Halfway through with a full disk: everything that was accepted is there, once.
  await scrape();
  await scrape();
  expect(got).toEqual(accepted);
  expect((await fetch(`${server.url}/-/healthy`)).status).toBe(200);

  rmSync(ballast);
  await expect.poll(async () => (await post((n += 1))).status, { timeout: 15_000, interval: 200 }).toBe(200);
  await sleep(100);
  await scrape();
  await scrape();
  expect(got).toEqual(accepted);
  expect(await server.end('SIGTERM')).toBe(0);
});
