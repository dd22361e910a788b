import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS } from '../../scripts/nodeFlags.ts';
import { cli } from '../support/cliProcess.ts';
import { freePort } from '../support/freePort.ts';
import { ServerProcess, startServer, temporaryFolder } from '../support/server.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const hasFullDevice = existsSync('/dev/full');

/** A server whose outputs are somebody's business, on a port that is known without reading them. */
async function startWith(stdout: number | 'pipe', stderr: number | 'pipe', cwd: string) {
  const port = await freePort();
  const flags = ['--server.host=127.0.0.1', `--server.port=${port}`, '--log.level=DEBUG'];
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'serve', ...flags], {
    cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', stdout, stderr],
  });
  const exited = once(child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
  return { child, url: `http://127.0.0.1:${port}`, exited };
}

/** Takes an event in, gives it to a scraper, and stops well; tells how many lines were lost by then. */
async function delivers({ child, url, exited }: Awaited<ReturnType<typeof startWith>>): Promise<number> {
  await expect.poll(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.status).toBe(200);
  // Refused, which is worth a line.
  expect((await fetch(`${url}/event?a-b=1`, { method: 'POST' })).status).toBe(400);
  expect((await fetch(`${url}/event?type=x`, { method: 'POST' })).status).toBe(200);
  const body = await (await fetch(`${url}/metrics?scraper=a`)).text();
  expect(body).toContain('events_to_metrics{type="x"} 1\n');
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  return Number(/^events_to_metrics_stderr_lines_lost_total (\d+)$/m.exec(body)?.[1]);
}

describe('a server goes on delivering', () => {
  it.skipIf(!hasFullDevice)('when the disk below its log is full (needs /dev/full)', async () => {
    using folder = temporaryFolder();
    const full = openSync('/dev/full', 'w');
    expect(await delivers(await startWith(full, full, folder.path))).toBeGreaterThan(1);
  });

  it('when nobody reads its output any more', async () => {
    using folder = temporaryFolder();
    const server = await startWith('pipe', 'pipe', folder.path);
    server.child.stdout?.destroy();
    server.child.stderr?.destroy();
    expect(await delivers(server)).toBeGreaterThan(1);
  });
});

it.skipIf(!hasFullDevice)(
  "oneshot run ends with its command's code when its own words can't be written (needs /dev/full)",
  async () => {
    using folder = temporaryFolder();
    const port = await freePort();
    const env = { ONESHOT_URL: `http://127.0.0.1:${port}`, ONESHOT_SPOOL: folder.path };
    // The server will refuse it, which is told before the run's own event goes out.
    expect((await cli(['push', 'a-b=1', '--total=200ms'], { env })).code).toBe(0);
    await using server = await startServer({ 'server.port': port });
    const full = openSync('/dev/full', 'w');
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--', 'sh', '-c', 'exit 3'],
      { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', full, full] },
    );
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('exit_code="3"');
  },
);

it('an error that nobody catches is a line of the log, then a stack, and exit code 1', async () => {
  using folder = temporaryFolder();
  const server = await ServerProcess.start([], {
    cwd: folder.path,
    main: fileURLToPath(new URL('../support/throwingMain.ts', import.meta.url)),
  });
  expect(await server.end('SIGUSR2')).toBe(1);
  const [line = '', ...stack] = server.output().slice(server.output().indexOf('{"level"')).split('\n');
  expect(JSON.parse(line)).toMatchObject({
    level: 'fatal',
    time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    err: { type: 'Error', message: 'thrown by a test' },
    msg: 'uncaught error; exiting',
  });
  expect(stack[0]).toBe('Error: thrown by a test');
  expect(stack[1]).toMatch(/^ {4}at .*throwingMain\.ts/);
});
