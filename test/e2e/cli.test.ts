import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cli, installCommand, spawnCli } from '../support/cliProcess.ts';
import { freePort } from '../support/freePort.ts';
import { startSwallowingProxy } from '../support/swallowingProxy.ts';
import { ServerProcess, startServer, temporaryFolder } from '../support/server.ts';

/** A busy machine takes its time to start a process. */
const PATIENT = { timeout: 20_000 };

/** The events of a scrape, with the server's own metrics left out. */
async function scrape(url: string, scraper = 'a'): Promise<string[]> {
  const body = await (await fetch(`${url}/metrics?scraper=${scraper}`)).text();
  return body.split('\n').filter((line) => /^events_to_metrics(?:\{| )/.test(line));
}

/** How many events the server has taken in. */
async function countOf(url: string): Promise<number> {
  const body = await (await fetch(`${url}/metrics?peek=true`)).text();
  return Number(/^events_to_metrics_event_count (\d+)$/m.exec(body)?.[1]);
}

describe('push and a server that is not well', () => {
  it('that is down at first gets the event once it is up, at its own time', async () => {
    const port = await freePort();
    const began = Date.now();
    const push = spawnCli(['push', 'deploy', `--url=http://127.0.0.1:${port}`]);
    await expect.poll(push.stderr, PATIENT).toContain('attempt 2');
    await using server = await startServer({ 'server.port': port, 'scrape.timestamps': 'explicit' });
    const ready = Date.now();
    expect(await push.exited, push.stderr()).toBe(0);
    const [line = '', ...more] = await scrape(server.url);
    expect(more).toEqual([]);
    const time = Number(line.split(' ')[2]);
    expect(time).toBeGreaterThanOrEqual(began);
    expect(time).toBeLessThan(ready);
  });

  it('whose answers are swallowed gets the very same event again: one id, one time', async () => {
    await using server = await startServer();
    await using proxy = await startSwallowingProxy(server.port, 2);
    const { code, stderr } = await cli(['push', 'deploy', '--url', proxy.url]);
    expect(code, stderr).toBe(0);
    expect(proxy.requests).toHaveLength(3);
    const keys = proxy.requests.map((request) => /^idempotency-key: (.+)\r$/im.exec(request)?.[1]);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(new Set(proxy.requests.map((request) => request.split('\r\n\r\n')[1])).size).toBe(1);
    expect(await scrape(server.url)).toEqual(['events_to_metrics{type="deploy"} 1']);
    expect(await countOf(server.url)).toBe(1);
  });

  it('that is killed between request and answer has the event after its restart', async () => {
    using folder = temporaryFolder();
    const killed = await ServerProcess.start([], { cwd: folder.path });
    let restarted: Promise<ServerProcess> | undefined;
    await using proxy = await startSwallowingProxy(killed.port, 1, async () => {
      await killed.end('SIGKILL');
      restarted = ServerProcess.start([], { cwd: folder.path, port: killed.port });
    });
    const { code, stderr } = await cli(['push', 'deploy', '--url', proxy.url]);
    expect(code, stderr).toBe(0);
    const server = await restarted;
    expect(await scrape(server?.url ?? '')).toEqual(['events_to_metrics{type="deploy"} 1']);
    // Counts begin at 0 with each start: the event that it took in before was not taken in again.
    expect(await countOf(server?.url ?? '')).toBe(0);
    await server?.end('SIGTERM');
  });
});

describe('the spool', () => {
  it('keeps events while the server is down, and gives each of them at its own time later', async () => {
    using folder = temporaryFolder();
    const port = await freePort();
    const env = { ONESHOT_URL: `http://127.0.0.1:${port}`, ONESHOT_SPOOL: folder.path };
    const began = Date.now();
    for (const n of [1, 2]) {
      const { code, stderr } = await cli(['push', `n=${n}`, '--total=300ms'], { env });
      expect({ code, kept: stderr.includes(`kept `) }).toEqual({ code: 0, kept: true });
    }
    const kept = Date.now();
    expect(JSON.parse((await cli(['spool', '--json'], { env })).stdout)).toMatchObject({
      waiting: 2,
      refused: 0,
    });
    await using server = await startServer({ 'server.port': port, 'scrape.timestamps': 'explicit' });
    expect((await cli(['push', 'n=3'], { env })).code).toBe(0);
    const lines = await scrape(server.url);
    expect(lines.map((line) => /n="(\d)"/.exec(line)?.[1])).toEqual(['1', '2', '3']);
    const times = lines.map((line) => Number(line.split(' ')[2]));
    expect(times[0]).toBeGreaterThanOrEqual(began);
    expect(times[1]).toBeLessThanOrEqual(kept);
    expect(times[2]).toBeGreaterThan(kept);
    expect(await cli(['spool'], { env })).toMatchObject({
      stdout: expect.stringMatching(/^0 waiting, 0 refused/) as string,
    });
  });

  it('is shared by several pushers: each event comes once, and one that is refused holds up none', async () => {
    using folder = temporaryFolder();
    const port = await freePort();
    const env = { ONESHOT_URL: `http://127.0.0.1:${port}`, ONESHOT_SPOOL: folder.path };
    const words = ['n=1', 'n=2', 'a-b=1', 'n=3', 'n=4'];
    const codes = await Promise.all(
      words.map(async (word) => (await cli(['push', word, '--total=200ms'], { env })).code),
    );
    expect(codes).toEqual([0, 0, 0, 0, 0]);
    await using server = await startServer({ 'server.port': port });
    const flushed = await Promise.all([1, 2, 3].map(() => cli(['spool', 'flush', '--json'], { env })));
    const counts = flushed.map(
      ({ stdout }) => JSON.parse(stdout) as { sent: number; refused: { reason: string }[] },
    );
    expect(counts.reduce((sum, { sent }) => sum + sent, 0)).toBe(4);
    expect(counts.flatMap(({ refused }) => refused)).toMatchObject([
      { reason: expect.stringContaining('a-b') as string },
    ]);
    expect(flushed.map(({ code }) => Number(code)).toSorted((a, b) => a - b)).toEqual([0, 0, 3]);
    expect((await scrape(server.url)).toSorted()).toEqual(
      [1, 2, 3, 4].map((n) => `events_to_metrics{n="${n}"} 1`),
    );
    expect(await countOf(server.url)).toBe(4);
  });

  it('has an event whose pusher is killed before the server has it', async () => {
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: `http://127.0.0.1:${await freePort()}`, ONESHOT_SPOOL: folder.path };
    const push = spawnCli(['push', 'deploy'], { env });
    await expect.poll(push.stderr, PATIENT).toContain('attempt 1');
    push.child.kill('SIGKILL');
    expect(await push.exited).toBe('SIGKILL');
    expect(JSON.parse((await cli(['spool', '--json'], { env })).stdout)).toMatchObject({ waiting: 1 });
  });
});

describe('run', () => {
  it('ends as its command, whose event is in the next scrape', async () => {
    await using server = await startServer();
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: server.url, XDG_STATE_HOME: folder.path };
    expect(await cli(['run', '--', 'false'], { env })).toEqual({ code: 1, stdout: '', stderr: '' });
    const [line = '', ...more] = await scrape(server.url);
    expect(more).toEqual([]);
    expect(line).toMatch(
      /^events_to_metrics\{exit_code="1",name="false",status="failure",type="run"\} (?:0|0\.\d{1,3})$/,
    );
  });

  it.each([
    ['success', ['sh', '-c', 'exit 0'], 0, 'exit_code="0",name="job",status="success"'],
    ['a code of its own', ['sh', '-c', 'exit 42'], 42, 'exit_code="42",name="job",status="failure"'],
    [
      'a signal',
      ['sh', '-c', 'kill -KILL $$'],
      137,
      'exit_code="137",name="job",signal="SIGKILL",status="failure"',
    ],
    ['no such command', ['/no/such/command'], 127, 'exit_code="127",name="job",status="failure"'],
    ['no right to run it', ['/etc/passwd'], 126, 'exit_code="126",name="job",status="failure"'],
  ])('ends after %s as a shell would', async (_what, command, code, labels) => {
    await using server = await startServer();
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: server.url, XDG_STATE_HOME: folder.path };
    const ran = await cli(['run', '--name=job', 'host=db1', '--', ...command], { env });
    expect(ran.code).toBe(code);
    const [first = '', ...rest] = labels.split(',');
    const series = [first, 'host="db1"', ...rest, 'type="run"'].join(',');
    expect((await scrape(server.url))[0]).toContain(`events_to_metrics{${series}} `);
  });

  it('passes input, output and errors through as they are, however slowly they are read', async () => {
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: `http://127.0.0.1:${await freePort()}`, XDG_STATE_HOME: folder.path };
    const input = 'x'.repeat(3_000_000);
    const { child, exited, stdout, stderr } = spawnCli(
      ['run', '--wait=0', '-q', '--', 'sh', '-c', 'cat; echo done >&2'],
      { env, input },
    );
    child.stdout.pause();
    setTimeout(() => child.stdout.resume(), 500);
    expect(await exited).toBe(0);
    expect([stdout().length, stderr()]).toEqual([input.length, 'done\n']);
  });

  it('passes signals on, and lets the command decide what they mean', async () => {
    await using server = await startServer();
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: server.url, XDG_STATE_HOME: folder.path };
    const script = 'trap "echo stopping; exit 7" TERM; echo ready; while :; do sleep 0.05; done';
    const run = spawnCli(['run', '--name=job', '--', 'sh', '-c', script], { env });
    await expect.poll(run.stdout, PATIENT).toBe('ready\n');
    run.child.kill('SIGTERM');
    expect(await run.exited, run.stderr()).toBe(7);
    expect(run.stdout()).toBe('ready\nstopping\n');
    expect((await scrape(server.url))[0]).toContain('exit_code="7"');

    const untrapped = spawnCli(['run', '--name=job', '--', 'sh', '-c', 'echo ready; exec sleep 30'], { env });
    await expect.poll(untrapped.stdout, PATIENT).toBe('ready\n');
    untrapped.child.kill('SIGINT');
    expect(await untrapped.exited).toBe(130);
    expect((await scrape(server.url))[0]).toContain('signal="SIGINT"');
  });

  it('is not held up by a server that does not answer, and loses nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    using folder = temporaryFolder();
    const env = { ONESHOT_URL: `http://127.0.0.1:${port}`, XDG_STATE_HOME: folder.path };
    const began = Date.now();
    const run = await cli(['run', '--wait=400ms', '--', 'sh', '-c', 'exit 5'], { env });
    expect(run).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('no answer within') as string,
    });
    expect(Date.now() - began).toBeLessThan(5_000);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    await using server = await startServer({ 'server.port': port });
    expect(await cli(['spool', 'flush'], { env })).toMatchObject({
      code: 0,
      stdout: '1 sent, 0 refused, 0 waiting\n',
    });
    expect((await scrape(server.url))[0]).toContain('exit_code="5"');
  });

  it('that is interrupted while it sends ends at once, with the code of its command, and keeps the event', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const asked = new Promise((resolve) => silent.once('request', resolve));
    using folder = temporaryFolder();
    const env = {
      ONESHOT_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      XDG_STATE_HOME: folder.path,
    };
    const run = spawnCli(['run', '--wait=1m', '--', 'sh', '-c', 'exit 5'], { env });
    await asked;
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(5);
    expect(JSON.parse((await cli(['spool', '--json'], { env })).stdout)).toMatchObject({ waiting: 1 });
    silent.closeAllConnections();
    silent.close();
  });
});

describe('tail', () => {
  it('follows what comes, and ends well when it is interrupted', async () => {
    await using server = await startServer();
    const env = { ONESHOT_URL: server.url };
    await fetch(`${server.url}/event?n=1`, { method: 'POST' });
    const tail = spawnCli(['tail', '--every=20ms', '--json'], { env });
    await expect.poll(tail.stdout, PATIENT).toContain('"n":"1"');
    await cli(['push', 'n=2'], { env });
    await expect.poll(tail.stdout, PATIENT).toContain('"n":"2"');
    tail.child.kill('SIGINT');
    expect(await tail.exited).toBe(0);
    const labels = tail
      .stdout()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { labels: object }).labels);
    expect(labels).toEqual([{ n: '1' }, { n: '2' }]);
    expect(await scrape(server.url)).toHaveLength(2);
  });

  it('ends at once where its reader does, though nothing more is posted', async ({ skip }) => {
    if (process.platform !== 'linux') throw skip('needs GNU tail');
    await using server = await startServer();
    await fetch(`${server.url}/event?type=a`, { method: 'POST' });
    using folder = temporaryFolder();
    installCommand(folder.path);
    const line = 'oneshot tail | head -n 1; echo "${PIPESTATUS[0]}"';
    const { stdout } = await promisify(execFile)('bash', ['-c', line], {
      env: { PATH: `${folder.path}:${process.env['PATH'] ?? ''}`, ONESHOT_URL: server.url },
      timeout: 60_000,
    });
    expect(stdout).toMatch(/type="a".*\n141\n$/);
  });

  it('ends when nobody reads it any more', async () => {
    await using server = await startServer();
    const tail = spawnCli(['tail', '--every=20ms'], { env: { ONESHOT_URL: server.url } });
    tail.child.stdout.destroy();
    for (let n = 0; n < 5; n += 1) await fetch(`${server.url}/event?n=${n}`, { method: 'POST' });
    expect(await tail.exited).toBe(141);
  });
});

describe('the other commands', () => {
  it('list and forget scrapers of a real server', async () => {
    await using server = await startServer();
    const env = { ONESHOT_URL: server.url };
    await scrape(server.url, 'prometheus-a');
    const { code, stdout } = await cli(['scrapers'], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +KNOWN BY[^\n]*\nprometheus-a +parameter +127\.0\.0\.1 [^\n]*\n$/);
    expect((await cli(['scrapers', 'forget', 'prometheus-a'], { env })).code).toBe(0);
    expect(await cli(['scrapers'], { env })).toMatchObject({ stdout: 'no scrapers yet\n' });
    expect((await cli(['scrapers', 'forget', 'prometheus-a'], { env })).code).toBe(3);
  });

  it('end with 1 where there is no server, 2 for a wrong flag, 4 where something else answers', async () => {
    const other = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect((await cli(['scrapers', `--url=http://127.0.0.1:${await freePort()}`])).code).toBe(1);
    expect((await cli(['scrapers', '--ulr=x'])).code).toBe(2);
    expect((await cli(['scrapers', '--url', url])).code).toBe(4);
    expect((await cli(['push', 'deploy', '--url', url])).code).toBe(4);
    other.close();
  });

  it('check a configuration without opening anything', async () => {
    using folder = temporaryFolder();
    const run = await cli(['config', 'check', '--', '--server.port=1'], { cwd: folder.path });
    expect(run).toEqual({
      code: 0,
      stdout: 'the configuration is fine; 1 setting differs from the defaults\n',
      stderr: '',
    });
    expect((await cli(['config', 'check', '--', '--scrapers.max=0'], { cwd: folder.path })).code).toBe(2);
  });
});
