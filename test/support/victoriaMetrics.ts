import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScrapeConfig, Series } from './prometheus.ts';
import type { StoredSeries } from './tsdb.ts';

const BINARY = join(import.meta.dirname, '../../.cache/tools/victoriametrics-1.145/victoria-metrics');
const READY_MS_MAX = 60_000;
const END_MS_MAX = 20_000;
const REQUEST_MS_MAX = 20_000;
const POLL_MS = 50;

/** The binary that `scripts/tools.sh` fetched. In CI, where nothing may be skipped in silence, a missing one throws. */
export function requireVictoriaMetrics(): string | undefined {
  if (existsSync(BINARY)) return BINARY;
  if ((process.env['CI'] ?? '') !== '')
    throw new Error('victoriametrics is missing: scripts/tools.sh fetches it on a Debian machine');
  return undefined;
}

/**
 * A real VictoriaMetrics on a loopback port, which stores a sample that comes several times once (`-dedup.minScrapeInterval=1ms`),
 * with a data folder of its own that lives until `stop()`. What it was told to scrape is told again by `reload()`.
 */
export class VictoriaMetrics implements AsyncDisposable {
  readonly #binary: string;
  #folder = '';
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(binary: string) {
    this.#binary = binary;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('this VictoriaMetrics is not running');
    return this.#child.pid;
  }

  /** Resolves when it is ready; rejects with its log when it does not get there. */
  async start(): Promise<void> {
    if (this.#folder === '') {
      this.#folder = await mkdtemp(join(tmpdir(), 'victoriametrics-'));
      this.#port = await freePort();
      await this.#writeConfig([]);
    }
    const child = this.#spawn();
    this.#child = child;
    const deadline = performance.now() + READY_MS_MAX;
    while (performance.now() < deadline) {
      if (!isRunning(child)) break;
      const health = await this.#get('/health').catch(() => '');
      if (health === 'OK') return;
      await sleep(POLL_MS);
    }
    const log = await this.log();
    await this.stop();
    throw new Error(`${this.#binary} did not start:\n${log}`);
  }

  async reload(scrapeConfigs: readonly ScrapeConfig[]): Promise<void> {
    await this.#writeConfig(scrapeConfigs);
    await this.#get('/-/reload');
  }

  /** Evaluates an expression now. */
  async query(promql: string): Promise<readonly Series[]> {
    type Sample = readonly [seconds: number, value: string];
    type Found = { metric: Series['metric']; value?: Sample; values?: readonly Sample[] };
    const answer = await this.#get(`/api/v1/query?${new URLSearchParams({ query: promql }).toString()}`);
    const { data } = JSON.parse(answer) as { data: { result: readonly Found[] } };
    return data.result.map(({ metric, value, values }) => ({
      metric,
      samples: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => ({
        at: Math.round(at * 1000),
        value: Number(text),
      })),
    }));
  }

  /** Every series of one metric, sample by sample, between two times in Unix ms. It has no ends of pulses to tell. */
  async storedSeries(metric: string, start: number, end: number): Promise<readonly StoredSeries[]> {
    type Exported = {
      metric: Record<string, string>;
      values: readonly (number | null)[];
      timestamps: readonly number[];
    };
    // What came last is not to be seen for a second or so otherwise.
    await this.#get('/internal/force_flush');
    const which = { 'match[]': metric, start: String(start / 1000), end: String(end / 1000) };
    const lines = await this.#get(`/api/v1/export?${new URLSearchParams(which).toString()}`);
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Exported)
      .map(({ metric: labels, values, timestamps }) => ({
        labels,
        // A mark that a series has ended is exported as null.
        samples: values.flatMap((value, i) =>
          value === null ? [] : [{ at: timestamps[i] as number, value }],
        ),
        endsAt: [],
      }));
  }

  async log(): Promise<string> {
    return this.#folder === '' ? '' : readFile(join(this.#folder, 'log'), 'utf8');
  }

  /** Ends it as a crash would. What it took in last it had in memory alone, and loses. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it and removes all that it has stored. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true });
    this.#folder = '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || !isRunning(child)) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
    await exit;
    clearTimeout(timer);
  }

  #spawn(): ChildProcess {
    const log = openSync(join(this.#folder, 'log'), 'a');
    try {
      const flags = [
        `-promscrape.config=${join(this.#folder, 'scrape.yml')}`,
        `-storageDataPath=${join(this.#folder, 'data')}`,
        `-httpListenAddr=127.0.0.1:${this.#port}`,
        '-dedup.minScrapeInterval=1ms',
        '-search.latencyOffset=0s',
        '-search.disableCache',
      ];
      const child = spawn(this.#binary, flags, { cwd: this.#folder, stdio: ['ignore', log, log] });
      const orphaned = (): void => void child.kill('SIGKILL');
      process.once('exit', orphaned);
      child.once('close', () => process.off('exit', orphaned));
      // A binary that can't be run emits this, and has no pid.
      child.on('error', () => undefined);
      return child;
    } finally {
      closeSync(log);
    }
  }

  async #writeConfig(scrapeConfigs: readonly ScrapeConfig[]): Promise<void> {
    // JSON is YAML.
    const jobs = scrapeConfigs.map(({ targets, ...rest }) => ({ ...rest, static_configs: [{ targets }] }));
    await writeFile(join(this.#folder, 'scrape.yml'), `scrape_configs: ${JSON.stringify(jobs)}\n`);
  }

  async #get(path: string): Promise<string> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
