import type { Machine } from '../../src/app/memory.ts';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { NODE_FLAGS } from '../../scripts/nodeFlags.ts';
import { Access } from '../../src/access/access.ts';
import { Bcrypt } from '../../src/access/bcrypt.ts';
import { readText } from '../../src/access/readText.ts';
import { App } from '../../src/app.ts';
import type { Settings } from '../../src/config/settings.ts';
import { loadSettings } from '../../src/config/load.ts';
import type { Clock, Monotonic } from '../../src/core/millis.ts';
import { millis } from '../../src/core/millis.ts';
import { newsFor } from '../../src/observe/news.ts';
import { createLogger } from '../../src/observe/logger.ts';

/** A folder of its own, gone when disposed. */
export function temporaryFolder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'oneshot-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The defaults, on a free loopback port and in memory, with a few settings changed. */
function settingsWith(change: Partial<Settings> = {}): Settings {
  const loaded = loadSettings({ argv: [], env: {}, readFile: () => '{}' });
  if (loaded.action !== 'run') throw new Error('no settings');
  return {
    ...loaded.settings,
    'server.host': '127.0.0.1',
    'server.port': 0,
    'store.kind': 'memory',
    ...change,
  };
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly log: string[];
  readonly access: Access;
}

/** A server in this process. */
export async function startServer(
  change: Partial<Settings> = {},
  clock: Clock = () => millis(Date.now()),
  elapsed: Monotonic = () => performance.now(),
  machine: Machine = { memoryBytes: 8 * 2 ** 30, heapBytes: 4 * 2 ** 30 },
): Promise<RunningServer> {
  const log: string[] = [];
  const logger = createLogger('DEBUG', { write: (line: string) => void log.push(line) });
  const settings = settingsWith(change);
  const bcrypt = new Bcrypt();
  const access = await Access.open({
    settings,
    read: readText,
    compare: bcrypt.compare,
    key: randomBytes(32),
    news: newsFor(logger, elapsed),
  });
  const app = new App({
    settings,
    version: 'test',
    clock,
    machine,
    elapsed,
    logger,
    linesLost: () => 0,
    access,
    guide: '# guide\n',
  });
  const { port } = await app.start();
  return {
    url: `${access.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    log,
    access,
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await bcrypt[Symbol.asyncDispose]();
    },
  };
}

const READY_MS_MAX = 15_000;

/** A server in a process of its own, which can be killed. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  readonly output: () => string;
  readonly exited: Promise<number | string>;

  private constructor(
    child: ChildProcess,
    port: number,
    output: () => string,
    exited: Promise<number | string>,
  ) {
    this.child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.output = output;
    this.exited = exited;
  }

  /** Starts `src/main.ts`, or another program of ours, with flags. Resolves when it is ready. Rejects with its output when it ends before. */
  static async start(
    flags: readonly string[],
    options: { port?: number; cwd?: string; env?: Record<string, string>; main?: string } = {},
  ): Promise<ServerProcess> {
    const { child, output, exited } = spawnServer(
      ['--server.host=127.0.0.1', `--server.port=${options.port ?? 0}`, '--log.level=WARN', ...flags],
      options,
    );
    const deadline = Date.now() + READY_MS_MAX;
    const ended = exited.then((code) => {
      throw new Error(`the server ended with ${code}: ${output()}`);
    });
    const ready = (async () => {
      while (Date.now() < deadline) {
        const port = Number(/listens {2}https?:\/\/[^ ]*:(\d+)/.exec(output())?.[1]);
        if (port > 0) return port;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      throw new Error(`the server was not ready after ${READY_MS_MAX} ms: ${output()}`);
    })();
    ended.catch(() => undefined);
    const port = await Promise.race([ready, ended]);
    return new ServerProcess(child, port, output, exited);
  }

  /** Ends it with a signal, and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return this.exited;
  }
}

/** Runs `src/main.ts`, or another program of ours, with flags, an environment and a folder, and collects what it writes. */
export function spawnServer(
  flags: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; main?: string } = {},
): { child: ChildProcess; output: () => string; exited: Promise<number | string> } {
  const main = options.main ?? join(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [...NODE_FLAGS, main, ...flags], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { child, output: () => text, exited };
}
