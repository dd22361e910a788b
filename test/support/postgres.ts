import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresPlace } from '../../src/log/postgres/place.ts';
import { Connection } from '../../src/log/postgres/connection.ts';
import { atExit } from './atExit.ts';
import { freePort } from './freePort.ts';
import { onPath } from './tools.ts';

const READY_MS_MAX = 60_000;
const POLL_MS = 20;
/** It refuses to run as root. */
const USER = 'postgres';

export const HOW_TO_GET_POSTGRES =
  'needs PostgreSQL: apt-get install postgresql on a Debian machine; elsewhere put initdb and postgres on PATH';

/** The folder of `initdb` and `postgres`, the newest there is. In CI, where nothing may be skipped in silence, a missing one throws. */
export function requirePostgres(): string | undefined {
  const packaged = globSync('/usr/lib/postgresql/*/bin/initdb').toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const initdb = packaged.at(-1) ?? onPath('initdb')[0];
  if (initdb !== undefined) return initdb.replace(/\/initdb$/, '');
  if ((process.env['CI'] ?? '') !== '') throw new Error(HOW_TO_GET_POSTGRES);
  return undefined;
}

export interface PostgresOptions {
  /** Settings of postgresql.conf, as `fsync=off`. */
  readonly settings?: readonly string[];
  /** Lines of pg_hba.conf; without, all of this machine are let in. */
  readonly hba?: readonly string[];
  /** A folder with `server.pem`, `server.key` and `ca.pem`, for TLS. */
  readonly pems?: string;
}

/** A PostgreSQL on a loopback port, with a folder of its own that goes with it. Its administrator is `postgres`. */
export class Postgres implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #bin: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;
  readonly #forget: () => void;

  private constructor(bin: string, port: number, folder: string, settings: readonly string[]) {
    this.#bin = bin;
    this.port = port;
    this.folder = folder;
    this.#settings = settings;
    this.#forget = atExit(() => {
      this.#child?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
  }

  static async start({ settings = [], hba, pems }: PostgresOptions = {}): Promise<Postgres> {
    const bin = requirePostgres();
    if (bin === undefined) throw new Error(HOW_TO_GET_POSTGRES);
    const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
    const owner = ownerOf();
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    chmodSync(folder, 0o700);
    const data = join(folder, 'data');
    execFileSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...owner, stdio: 'pipe', cwd: folder },
    );
    if (hba !== undefined) writeFileSync(join(data, 'pg_hba.conf'), `${hba.join('\n')}\n`);
    const tls = ['ssl=on', 'ssl_cert_file=server.pem', 'ssl_key_file=server.key', 'ssl_ca_file=ca.pem'];
    for (const name of pems === undefined ? [] : ['server.pem', 'server.key', 'ca.pem']) {
      copyFileSync(join(pems as string, name), join(data, name));
      chmodSync(join(data, name), 0o600);
      if (owner !== undefined) chownSync(join(data, name), owner.uid, owner.gid);
    }
    const all = [...settings, ...(pems === undefined ? [] : tls)];
    const postgres = new Postgres(bin, await freePort(), folder, all);
    await postgres.run();
    return postgres;
  }

  get url(): string {
    return `postgres://${USER}@127.0.0.1:${this.port}/postgres`;
  }

  /** A schema in it that nobody has used. */
  place(given: Partial<PostgresPlace> = {}): PostgresPlace {
    return {
      hosts: [{ host: '127.0.0.1', port: this.port }],
      database: 'postgres',
      user: USER,
      password: undefined,
      tls: undefined,
      schema: `test_${process.pid}_${(schemas += 1)}`,
      ...given,
    };
  }

  /** Runs statements as the administrator. */
  async query(text: string): Promise<readonly (readonly unknown[])[]> {
    const connection = await Connection.open(this.place());
    try {
      return await connection.script(text);
    } finally {
      connection.close();
    }
  }

  /** Runs it, and resolves once it takes connections. */
  async run(): Promise<void> {
    const data = join(this.folder, 'data');
    const settings = ['unix_socket_directories=', 'listen_addresses=127.0.0.1', ...this.#settings];
    const child = spawn(
      join(this.#bin, 'postgres'),
      ['-D', data, '-p', String(this.port), ...settings.flatMap((each) => ['-c', each])],
      { ...ownerOf(), stdio: ['ignore', 'pipe', 'pipe'], cwd: this.folder },
    );
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)));
    const deadline = Date.now() + READY_MS_MAX;
    for (;;) {
      try {
        await this.query('SELECT 1');
        return;
      } catch (cause) {
        if (child.exitCode !== null || Date.now() > deadline)
          throw new Error(`postgres did not start:\n${output}`, { cause });
        await sleep(POLL_MS);
      }
    }
  }

  /** Ends it: `fast` rolls back what is under way, `immediate` is as a crash. */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
    this.#child = undefined;
  }

  async restart(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(how);
    await this.run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    this.#forget();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let schemas = 0;

/** Whom it runs as where this process is root's. */
function ownerOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = [USER, 'nobody']
    .map((name) => lines.find((each) => each.startsWith(`${name}:`)))
    .find(Boolean);
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  if (uid === undefined || gid === undefined) throw new Error('no user to run PostgreSQL as');
  return { uid, gid };
}
