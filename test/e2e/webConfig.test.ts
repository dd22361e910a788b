import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ServerProcess, spawnServer, temporaryFolder } from '../support/server.ts';
import { HOW_TO_GET_NODE_EXPORTER, requireNodeExporter } from '../support/tools.ts';

/** The same files as in test/golden/webConfig.test.ts. */
const FOLDER = join(import.meta.dirname, '../golden/webConfig');
const FIXTURES = readdirSync(FOLDER).filter((name) => /\.(?:good|bad)\.yml$/.test(name));
const CA = readFileSync(join(FOLDER, 'ca.pem'), 'utf8');
const START_MS_MAX = 10_000;

const exporter = requireNodeExporter();

interface Exporter {
  readonly child: ChildProcess;
  readonly port: number | undefined;
  readonly output: string;
}

/** Starts the exporter with a file. It either says that it listens, or ends. */
async function startExporter(binary: string, file: string): Promise<Exporter> {
  const child = spawn(
    binary,
    ['--collector.disable-defaults', '--web.listen-address=127.0.0.1:0', `--web.config.file=${file}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const deadline = Date.now() + START_MS_MAX;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) return { child, port: undefined, output };
    // It says first where it listens, and then whether TLS is on; it has read the file when it says the second.
    const port = /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port !== undefined && /TLS is (?:en|dis)abled/.test(output)) {
      await sleep(100);
      if (child.exitCode === null) return { child, port: Number(port), output };
    }
    await sleep(20);
  }
  child.kill('SIGKILL');
  throw new Error(`the exporter neither listens nor ends: ${output}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

it('a real exporter comes to the same verdict on every file', async ({ skip }) => {
  if (exporter === undefined) throw skip(HOW_TO_GET_NODE_EXPORTER);
  const verdicts: Record<string, string> = {};
  for (const name of FIXTURES) {
    const { child, port } = await startExporter(exporter, join(FOLDER, name));
    verdicts[name] = port === undefined ? 'bad' : 'good';
    await end(child);
  }
  expect(verdicts).toEqual(
    Object.fromEntries(FIXTURES.map((name) => [name, name.includes('.bad.') ? 'bad' : 'good'])),
  );
});

/** A GET over TLS, as one user or another. */
async function get(port: number, path: string, auth?: string) {
  const options = { host: '127.0.0.1', port, path, ca: CA, servername: 'localhost', agent: false };
  const sent = request({ ...options, ...(auth !== undefined && { auth }) }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, challenge: answer.headers['www-authenticate'] };
}

it('the same file starts this server and an exporter: TLS, users and headers are those of both', async ({
  skip,
}) => {
  if (exporter === undefined) throw skip(HOW_TO_GET_NODE_EXPORTER);
  const file = join(FOLDER, 'users_and_tls.good.yml');
  using folder = temporaryFolder();
  const theirs = await startExporter(exporter, file);
  const ours = await ServerProcess.start([`--web.config.file=${file}`, `--store.path=${folder.path}/data`]);
  try {
    for (const auth of [undefined, 'alice:alicesecret', 'bob:bobsecret', 'alice:bobsecret', 'mallory:x']) {
      const [their, our] = [
        await get(theirs.port ?? 0, '/metrics', auth),
        await get(ours.port, '/metrics', auth),
      ];
      expect(our.status, auth ?? 'nobody').toBe(their.status);
      expect(our.challenge?.split(' ')[0]).toBe(their.challenge?.split(' ')[0]);
    }
    expect(await ours.end('SIGTERM')).toBe(0);
  } finally {
    await end(theirs.child);
    ours.child.kill('SIGKILL');
  }
});

it.each(['unknown_key', 'not_yaml', 'cert_not_there', 'key_of_another', 'user_plain_password'])(
  'a bad file (%s) stops the start with one line and exit code 2',
  async (name) => {
    const file = join(FOLDER, `${name}.bad.yml`);
    const { exited, output } = spawnServer([`--web.config.file=${file}`, '--store.kind=memory']);
    expect(await exited).toBe(2);
    expect(output().trimEnd().split('\n')).toHaveLength(1);
    expect(output()).toContain(file);
  },
);
