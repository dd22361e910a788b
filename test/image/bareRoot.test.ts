import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../chart/support/helm.ts';
import { APT_CONFIG, BareRoot } from './build.ts';
import { Container } from './container.ts';

const BUILD_MS_MAX = 180_000;
const STOP_MS_MAX = 10_000;
const KIB = 1024;

const HOW_TO_RUN =
  'the image is run in a bare root, which needs root, Linux, and what scripts/tools.sh fetches';
const able = process.getuid?.() === 0 && [APT_CONFIG, '/usr/bin/unshare'].every((path) => existsSync(path));
if (!able && (process.env['CI'] ?? '') !== '') throw new Error(HOW_TO_RUN);

const image = new BareRoot();

/** An empty volume: an engine fills it with what the image has at /data, owners included. */
async function volume(name: string): Promise<string> {
  const path = join(image.folder, name);
  await run('cp', ['--archive', join(image.root, 'data'), path]);
  return path;
}

beforeAll(async () => {
  if (able) await image.build();
}, BUILD_MS_MAX);

afterAll(() => image[Symbol.dispose]());

describe("what the Dockerfile's steps make", () => {
  test('has no shell, no package manager, no second Node, and no packages', ({ skip }) => {
    if (!able) throw skip(HOW_TO_RUN);
    const files = new Set(globSync('**/*', { cwd: image.root }));
    expect(files.size).toBeGreaterThan(100);
    for (const there of [
      'usr/local/bin/node',
      'app/dist/main.js',
      'app/dist/server.js.map',
      'app/dist/THIRD-PARTY-LICENSES.txt',
      'app/image/probe.ts',
    ])
      expect(files).toContain(there);
    const programs = [...files].filter((path) => /\/s?bin\//.test(path));
    expect(
      programs.filter((path) => /\/(?:sh|bash|dash|busybox|apt|dpkg|npm|npx|yarn|curl)$/.test(path)),
    ).toEqual([]);
    expect(
      [...files].filter((path) => /^app\/(?:node_modules|src|scripts)$|^app\/.*\.test\.[jt]s$/.test(path)),
    ).toEqual([]);
  });

  test('is below 180 MiB', async ({ skip, annotate }) => {
    if (!able) throw skip(HOW_TO_RUN);
    const sizeKib = async (path: string) => {
      const { stdout } = await run('du', [
        '--summarize',
        '--apparent-size',
        '--block-size=1K',
        join(image.root, path),
      ]);
      return Number.parseInt(stdout, 10);
    };
    const [whole, node, app] = [
      await sizeKib('.'),
      await sizeKib('usr/local/bin/node'),
      await sizeKib('app'),
    ];
    const mib = (kib: number) => `${Math.round(kib / KIB)} MiB`;
    await annotate(`${mib(whole)}: ${mib(node)} Node, ${mib(app)} /app, ${mib(whole - node - app)} base`);
    expect(whole).toBeLessThan(180 * KIB);
  });
});

describe('its command', () => {
  test('runs on a root that it cannot write, as process 1 of a user without rights, and is found healthy', async ({
    skip,
  }) => {
    if (!able) throw skip(HOW_TO_RUN);
    await using container = await Container.start(image, await volume('first'));
    expect(container.status('NSpid').at(-1)).toBe('1');
    expect(container.status('Uid')).toEqual(['65532', '65532', '65532', '65532']);
    expect(container.status('Gid')).toEqual(['65532', '65532', '65532', '65532']);
    expect(container.status('CapEff')).toEqual(['0000000000000000']);
    const [node = ''] = image.entrypoint;
    const write = await container.exec([node, '-e', "require('fs').writeFileSync('/app/x', '')"]);
    expect(write).toMatchObject({ code: 1, stderr: expect.stringContaining('EROFS') as string });

    expect(await container.exec(image.healthcheck)).toMatchObject({ code: 0, stdout: 'ready\n' });
    const delivered = await container.exec([node, '/app/image/probe.ts', 'deliver', 'helm_test']);
    expect(delivered).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('in one scrape, once') as string,
    });
  });

  test('answers what is running at a SIGTERM, ends with 0 in time, and keeps its events for the next', async ({
    skip,
  }) => {
    if (!able) throw skip(HOW_TO_RUN);
    const data = await volume('second');
    {
      await using container = await Container.start(image, data);
      const socket = connect(Number(new URL(container.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        'POST /event HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\ntype=',
      );
      // The server must have begun on it.
      await sleep(200);
      const asked = Date.now();
      container.signal('SIGTERM');
      await sleep(200);
      socket.write('deploy');
      let answer = '';
      for await (const chunk of socket.setEncoding('utf8')) answer += chunk as string;
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(await container.exited).toBe(0);
      expect(Date.now() - asked).toBeLessThan(STOP_MS_MAX);
    }
    await using container = await Container.start(image, data);
    const scrape = await (await fetch(`${container.url}/metrics?scraper=a`)).text();
    expect(scrape).toContain('events_to_metrics{type="deploy"} 1\n');
  });
});
