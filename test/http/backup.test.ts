import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { RawClient } from '../support/rawHttp.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const post = (url: string, n: number) =>
  fetch(`${url}/event?n=${n}`, { method: 'POST', headers: { 'Idempotency-Key': `key-${n}` } });

async function scrape(port: number): Promise<number[]> {
  const client = await RawClient.connect(port);
  client.get('/metrics?scraper=a');
  const { body } = await client.response();
  client.get('/healthz');
  await client.response();
  client.end();
  return [...body.matchAll(/^events_to_metrics\{n="(\d+)"/gm)].map(([, n]) => Number(n));
}

describe('oneshot log backup', () => {
  it('writes a copy of a server under load, on which another goes on with ids and positions', async () => {
    using folder = temporaryFolder();
    const store = { 'store.kind': 'sqlite', 'store.path': join(folder.path, 'data') } as const;
    const file = join(folder.path, 'copy.db');
    let accepted = 0;
    let before = 0;
    {
      await using server = await startServer(store);
      expect(await scrape(server.port)).toEqual([]);
      const next = async (): Promise<void> => {
        expect((await post(server.url, accepted)).status).toBe(200);
        accepted += 1;
      };
      for (let n = 0; n < 200; n += 1) await next();
      expect(await scrape(server.port)).toHaveLength(200);
      for (let n = 0; n < 100; n += 1) await next();
      before = accepted;
      const copy = { isDone: false };
      const copied = runCli(['log', 'backup', file, '--url', server.url], { fetch }).finally(
        () => (copy.isDone = true),
      );
      while (!copy.isDone) await next();
      expect(await copied).toMatchObject({ code: 0, stderr: '' });
      expect(accepted).toBeGreaterThan(before);
      expect(statSync(file).mode & 0o077).toBe(0);
      await expect.poll(() => readdirSync(store['store.path'])).not.toContain('backup');
      expect(await runCli(['log', 'backup', file, '--url', server.url], { fetch })).toMatchObject({
        code: 2,
      });
    }
    const restored = join(folder.path, 'restored');
    mkdirSync(restored);
    renameSync(file, join(restored, 'events.db'));
    expect(await runCli(['log', 'check', restored])).toMatchObject({ code: 0 });
    await using server = await startServer({ ...store, 'store.path': restored });
    for (const n of [0, 199, before - 1])
      expect(await (await post(server.url, n)).text()).toContain('duplicate');
    const got = await scrape(server.port);
    expect(got).toEqual(Array.from({ length: got.length }, (_, index) => 200 + index));
    expect(got.length).toBeGreaterThanOrEqual(before - 200);
    expect(got.length).toBeLessThanOrEqual(accepted - 200);
  });

  it('says why where there is nothing to copy, or no server', async () => {
    using folder = temporaryFolder();
    await using server = await startServer();
    const file = join(folder.path, 'copy.db');
    const refused = await runCli(['log', 'backup', file, '--url', server.url], { fetch });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('the log is not in a file');
    expect((await runCli(['log', 'backup', file])).code).toBe(1);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('goes on where a client leaves before it has all, which is no failure', async () => {
    using folder = temporaryFolder();
    await using server = await startServer({
      'store.kind': 'sqlite',
      'store.path': join(folder.path, 'data'),
    });
    await post(server.url, 1);
    for (let round = 0; round < 5; round += 1) {
      const client = await RawClient.connect(server.port);
      client.send('POST /api/v1/backup HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n');
      if (round % 2 === 0) client.reset();
      else client.end();
    }
    const backUp = async () => (await fetch(`${server.url}/api/v1/backup`, { method: 'POST' })).status;
    await expect.poll(backUp).toBe(200);
    expect(server.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
