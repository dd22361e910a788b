import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

const WAYS = {
  'its folder is deleted': (folder: string) => rmSync(folder, { recursive: true }),
  'its folder is moved': (folder: string) => renameSync(folder, `${folder}-moved`),
  'its -wal is deleted': (folder: string) => rmSync(join(folder, 'events.db-wal')),
};
const CASES = Object.keys(WAYS).flatMap((way) =>
  ['power', 'process'].map((durability) => [way as keyof typeof WAYS, durability] as const),
);

const GONE =
  /^oneShotMetricsServer: can't write the log any more: \S+events\.db(?:-wal)? was deleted, moved or replaced while the server ran; [^\n]*$/m;

test('where its database is deleted while the server runs, it ends within seconds, with one line', async () => {
  using folder = temporaryFolder();
  const server = await ServerProcess.start([`--store.path=${folder.path}`]);
  rmSync(join(folder.path, 'events.db'));
  expect(await server.exited).toBe(1);
  expect(server.output()).toMatch(GONE);
});

test.each(CASES)(
  'G1: where %s while the server runs with store.durability=%s, it answers no post, and ends with one line',
  async (way, durability) => {
    using folder = temporaryFolder();
    const store = join(folder.path, 'data');
    const flags = [`--store.path=${store}`, `--store.durability=${durability}`];
    const server = await ServerProcess.start(flags);
    const post = () => fetch(`${server.url}/event?type=deploy`, { method: 'POST' });
    expect((await post()).status).toBe(200);
    WAYS[way](store);
    await expect(post()).rejects.toThrow('fetch failed');
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(GONE);
    expect(server.output()).not.toContain('    at ');
    const again = await ServerProcess.start(flags);
    expect(await again.end('SIGTERM')).toBe(0);
  },
);
