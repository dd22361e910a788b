import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, temporaryFolder } from '../support/server.ts';
import { onPath } from '../support/tools.ts';
import { checkTypes } from '../support/typescript.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const BIN = 'node_modules/one-shot-metrics-server/dist/bin.js';

/** npm, and commands that find this very Node first. */
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
  npm_config_update_notifier: 'false',
};

/** What somebody has who installed the packed package into a folder of their own. */
const folder = temporaryFolder();
let files: readonly string[] = [];

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder.path], { cwd: ROOT, env });
  // What the build prints comes first.
  const [report] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  files = report.files.map(({ path }) => path);
  writeFileSync(join(folder.path, 'package.json'), '{"name":"somebody","type":"module","private":true}');
  const flags = ['--no-audit', '--no-fund', '--offline'];
  await run('npm', ['install', ...flags, join(folder.path, report.filename)], { cwd: folder.path, env });
}, 300_000);

afterAll(() => folder[Symbol.dispose]());

/** A Node on PATH that can run the commands, and not the server. */
function olderNode(): string | undefined {
  return onPath('node').find((node) => {
    const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    return /^v2[0-3]\./.test(stdout);
  });
}

const npx = (...argv: string[]) => run('npx', ['--no-install', ...argv], { cwd: folder.path, env });

describe('the package', () => {
  const oldNode = olderNode();
  it('runs what needs no server on the oldest Node that it takes', async ({ skip }) => {
    if (oldNode === undefined)
      throw skip('needs a Node 20 or 22 on PATH, beside the one that runs the tests');
    const old = (argv: readonly string[], input = '') => {
      const running = run(oldNode, [BIN, ...argv], { cwd: folder.path, env });
      running.child.stdin?.end(input);
      return running;
    };
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect((await old(['--version'])).stdout).toBe(`oneShotMetricsServer ${version}\n`);
    expect((await old(['version'])).stdout).toBe(`oneShotMetricsServer ${version}\n`);
    expect((await old(['config', 'check'])).stdout).toContain('the configuration is fine');
    await expect(old(['config', 'check', '--', '--event.metric=up'])).rejects.toMatchObject({ code: 2 });
    const webhooks = '--webhooks={"builds": {"labels": {"job": "/job"}}}';
    const tried = await old(['webhook', 'try', 'builds', '-', '--', webhooks], '{"job": "shop"}');
    expect(tried.stdout).toBe('events_to_metrics{job="shop"} 1\n');
    await expect(old([])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^oneshot serve: needs Node 24 or newer, but this is Node \d+\n$/,
      ) as string,
    });
  });

  it('holds what runs, its types and its licence, and nothing else', () => {
    expect(files).toContain('dist/bin.js');
    expect(files).toContain('dist/client/client.d.ts');
    expect(files.filter((path) => !/^dist\/.+\.(?:js|js\.map|d\.ts)$/.test(path)).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist/THIRD-PARTY-LICENSES.txt',
      'package.json',
    ]);
    expect(files.filter((path) => path.includes('.test.'))).toEqual([]);
  });

  it('brings no other package, and no Node of its own into the commands of those who install it', () => {
    const lock = JSON.parse(readFileSync(join(folder.path, 'package-lock.json'), 'utf8')) as {
      packages: object;
    };
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/one-shot-metrics-server']);
    expect(existsSync(join(folder.path, 'node_modules/.bin/oneshot'))).toBe(true);
    expect(existsSync(join(folder.path, 'node_modules/.bin/node'))).toBe(false);
  });

  it.each(['oneshot', 'one-shot-metrics-server'])('posts by npx %s push', async (name) => {
    await using server = await startServer();
    const { stdout } = await npx(name, 'push', 'deploy', 'service=api', '--url', server.url);
    expect(stdout).toMatch(/^accepted [0-9a-f-]{36}\n$/);
    const body = await (await fetch(`${server.url}/metrics`)).text();
    expect(body).toContain('events_to_metrics{service="api",type="deploy"} 1\n');
  });

  it('runs the server, which finds its guide and its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect((await npx('oneshot', '--version')).stdout).toBe(`oneShotMetricsServer ${version}\n`);
    // Not by npx, which does not pass signals on.
    const flags = ['--server.host=127.0.0.1', '--server.port=0', '--store.kind=memory'];
    const server = spawn(process.execPath, [BIN, ...flags], { cwd: folder.path, env });
    let greeting = '';
    server.stdout.on('data', (chunk: Buffer) => (greeting += chunk.toString()));
    const exited = new Promise((resolve) => server.once('exit', resolve));
    await expect.poll(() => greeting, { timeout: 30_000 }).toMatch(/listens .*\n/);
    const [, url = ''] = /listens {2}(http:\S+)/.exec(greeting) ?? [];
    const guide = await (await fetch(`${url}/docs`)).text();
    server.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(guide).toMatch(/^# oneShotMetricsServer\n/);
  });

  it('gives its client, with types, to those who import it', async () => {
    const source = `import { OneShotClient, PushError } from 'one-shot-metrics-server/client';
      import type { Receipt } from 'one-shot-metrics-server/client';
      const client = new OneShotClient({ url: process.argv[2] ?? '' });
      const receipt: Receipt = await client.push({ labels: { type: 'deploy' }, value: 2 });
      console.log(typeof receipt.id, new PushError('invalid', 'x').reason);
      // @ts-expect-error a value is a number
      client.seal({ value: '2' });
    `;
    writeFileSync(join(folder.path, 'use.ts'), source);
    const declared = 'declare const process: { argv: string[] };';
    writeFileSync(join(folder.path, 'globals.d.ts'), declared);
    await checkTypes(folder.path, 'use.ts', 'globals.d.ts');
    await using server = await startServer();
    const { stdout } = await run(process.execPath, ['use.ts', server.url], { cwd: folder.path });
    expect(stdout).toBe('string invalid\n');
  });

  it('tells an old Node in one line what it lacks', async () => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.8'}})`;
    const ran = run(process.execPath, ['--import', old, BIN, 'push'], { cwd: folder.path });
    await expect(ran).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'oneshot needs Node 20 or newer (24 for the server), but this is Node 18.20.8; install a newer one\n',
    });
    // It must get so far: what an old Node can't load is imported after that.
    expect(readFileSync(join(folder.path, BIN), 'utf8')).not.toMatch(/^\s*import\s/m);
  });
});
