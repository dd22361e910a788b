import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import { fetchedTool, onPath } from './tools.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const LOG_TAIL_CHARS = 4_000;

/** What to do where a test is skipped for want of a VictoriaMetrics. */
export const HOW_TO_GET_VICTORIA_METRICS =
  'scripts/tools.sh fetches VictoriaMetrics on a Debian machine; elsewhere put victoria-metrics on PATH';

/** The binary that `scripts/tools.sh` fetched, or one on PATH. In CI, where nothing may be skipped in silence, a missing one throws. */
export function requireVictoriaMetrics(): string | undefined {
  const binary = fetchedTool('victoriametrics-1.145', 'victoria-metrics') ?? onPath('victoria-metrics')[0];
  if (binary === undefined && (process.env['CI'] ?? '') !== '') {
    throw new Error(`victoria-metrics is missing: ${HOW_TO_GET_VICTORIA_METRICS}`);
  }
  return binary;
}

export interface VictoriaMetricsOptions {
  readonly binary: string;
  /** The whole file that it scrapes by, as Prometheus writes it. */
  readonly config: string;
  /** Further flags, such as `-dedup.minScrapeInterval=1ms`. */
  readonly flags?: readonly string[];
}

/** A stored series with every raw sample, `at` in Unix ms. A stale marker has the value NaN. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly at: number; readonly value: number }[];
}

/** A real single-node VictoriaMetrics that scrapes, on a loopback port, with a data folder of its own that lives until `stop()`. */
export class VictoriaMetrics implements AsyncDisposable {
  readonly #options: VictoriaMetricsOptions;
  #config: string;
  #folder: string | undefined;
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(options: VictoriaMetricsOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** As `http://127.0.0.1:port`; the port stays the same through restarts. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('this VictoriaMetrics is not running');
    return this.#child.pid;
  }

  /** Resolves when it is ready; rejects with the tail of its log when it does not get there. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error('this VictoriaMetrics is running already');
    this.#folder ??= await mkdtemp(join(tmpdir(), 'victoria-metrics-'));
    if (this.#port === 0) this.#port = await freePort();
    await writeFile(join(this.#folder, 'scrape.yml'), this.#config);
    this.#child = this.#spawn(this.#folder);
    try {
      await this.#ready(this.#child);
    } catch (cause) {
      const tail = (await this.log()).slice(-LOG_TAIL_CHARS);
      await this.stop();
      throw new Error(`${this.#options.binary} did not start:\n${tail}`, { cause });
    }
  }

  /** Scrapes by another file from now on. */
  async reload(config: string): Promise<void> {
    if (this.#folder === undefined) throw new Error('this VictoriaMetrics is not started');
    this.#config = config;
    await writeFile(join(this.#folder, 'scrape.yml'), config);
    await this.#get('/-/reload');
  }

  /**
   * Every raw sample of the series that match a selector: what is stored, whatever a query would make of it. `deduplicated`: without what
   * `-dedup.minScrapeInterval` leaves out of every query; the export applies it only where memory is not spared.
   * Source: https://docs.victoriametrics.com/victoriametrics/#deduplication
   */
  async exported(match: string, deduplicated = false): Promise<readonly ExportedSeries[]> {
    await this.#flush();
    // A day of its own for each end: by default only the last five minutes are exported.
    const parameters = new URLSearchParams({
      'match[]': match,
      start: String(Math.floor(Date.now() / 1000) - 86_400),
      end: String(Math.floor(Date.now() / 1000) + 86_400),
      ...(deduplicated ? {} : { reduce_mem_usage: '1' }),
    });
    return merged(await this.#get(`/api/v1/export?${parameters.toString()}`));
  }

  /** Evaluates an expression at a time in Unix milliseconds: the value of each series that it gives, by its labels. */
  async query(
    promql: string,
    time: number,
  ): Promise<readonly { metric: ExportedSeries['metric']; value: number }[]> {
    await this.#flush();
    const parameters = new URLSearchParams({ query: promql, time: (time / 1000).toFixed(3), nocache: '1' });
    const { data } = JSON.parse(await this.#get(`/api/v1/query?${parameters.toString()}`)) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Evaluates a range selector, or any other expression, now: the samples of each series. */
  async samples(promql: string): Promise<readonly ExportedSeries[]> {
    type Sample = readonly [seconds: number, value: string];
    type Found = { metric: Record<string, string>; value?: Sample; values?: readonly Sample[] };
    const parameters = new URLSearchParams({ query: promql, nocache: '1' });
    const { data } = JSON.parse(await this.#get(`/api/v1/query?${parameters.toString()}`)) as {
      data: { result: readonly Found[] };
    };
    return data.result.map(({ metric, value, values }) => ({
      metric,
      samples: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => ({
        at: Math.round(at * 1000),
        value: Number(text),
      })),
    }));
  }

  /** All that it has logged since its first start. */
  async log(): Promise<string> {
    return this.#folder === undefined ? '' : readFile(join(this.#folder, 'log'), 'utf8');
  }

  /** Ends it as a crash would (SIGKILL); what was on disk stays, which may lack the last seconds. `start()` goes on with it. */
  async kill(): Promise<void> {
    if (!(await this.#end('SIGKILL'))) throw new Error(`process ${this.pid} survived SIGKILL`);
  }

  /** Ends it in an orderly way; what it has stored stays, and `start()` goes on with it. */
  async halt(): Promise<void> {
    if (!(await this.#end('SIGTERM'))) await this.kill();
  }

  /** Ends it and removes all that it has stored. */
  async stop(): Promise<void> {
    await this.halt();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(folder: string): ChildProcess {
    const log = openSync(join(folder, 'log'), 'a');
    try {
      const flags = [
        `-promscrape.config=${join(folder, 'scrape.yml')}`,
        `-storageDataPath=${join(folder, 'data')}`,
        `-httpListenAddr=127.0.0.1:${this.#port}`,
        ...(this.#options.flags ?? []),
      ];
      const child = spawn(this.#options.binary, flags, { cwd: folder, stdio: ['ignore', log, log] });
      const orphaned = (): void => void child.kill('SIGKILL');
      process.once('exit', orphaned);
      child.once('close', () => process.off('exit', orphaned));
      // A binary that can't be run emits this, and has no pid; `#ready` sees it.
      child.on('error', () => undefined);
      return child;
    } finally {
      closeSync(log);
    }
  }

  async #ready(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (!isRunning(child))
        throw new Error(`it ended with ${child.exitCode ?? child.signalCode ?? 'no process'}`);
      const isUp = await this.#get('/health').then(
        () => true,
        () => false,
      );
      if (isUp) return;
      await sleep(POLL_MS);
    }
    throw new Error(`it was not ready after ${READY_TIMEOUT_MS} ms`);
  }

  /** Whether it has ended within the time. */
  async #end(signal: NodeJS.Signals): Promise<boolean> {
    const child = this.#child;
    if (child === undefined) return true;
    child.kill(signal);
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isRunning(child)) {
      if (Date.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    this.#child = undefined;
    return true;
  }

  /** What was scraped is found by queries only once it is flushed, which it is by itself only now and then. */
  async #flush(): Promise<void> {
    await this.#get('/internal/force_flush');
  }

  async #get(path: string): Promise<string> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}

/** The export has a line for each piece of a series that is stored apart; here each series is one, its samples in order of time. */
function merged(lines: string): readonly ExportedSeries[] {
  const found = new Map<
    string,
    { metric: ExportedSeries['metric']; samples: { at: number; value: number }[] }
  >();
  for (const line of lines.split('\n').filter((each) => each !== '')) {
    const { metric, values, timestamps } = JSON.parse(line) as {
      metric: Record<string, string>;
      values: (number | string | null)[];
      timestamps: number[];
    };
    const key = JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const series = found.get(key) ?? { metric, samples: [] };
    found.set(key, series);
    // Neither kind of NaN has a place in JSON.
    for (const [i, at] of timestamps.entries())
      series.samples.push({ at, value: Number(values[i] ?? Number.NaN) });
  }
  for (const { samples } of found.values()) samples.sort((a, b) => a.at - b.at);
  return [...found.values()];
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
