import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import { fetchedTool, onPath } from './tools.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const KILL_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const PROMTOOL_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const LOG_TAIL_CHARS = 4_000;

/** What to do where a test is skipped for want of a Prometheus. */
export const HOW_TO_GET_PROMETHEUS =
  'scripts/tools.sh fetches the Prometheus servers on a Debian machine; elsewhere put a prometheus 3.x on PATH';

export type PrometheusVersion = '3.5' | '2.53' | '2.42';

/** The binary that `scripts/tools.sh` fetched; for 3.5 also any 3.x on PATH. */
function findPrometheus(version: PrometheusVersion): string | undefined {
  const fetched = fetchedTool(`prometheus-${version}`, 'prometheus');
  if (fetched !== undefined || version !== '3.5') return fetched;
  return onPath('prometheus').find((binary) => isThree(binary));
}

/** The same, but in CI, where nothing may be skipped in silence, a missing binary throws. */
export function requirePrometheus(version: PrometheusVersion): string | undefined {
  const binary = findPrometheus(version);
  if (binary === undefined && (process.env['CI'] ?? '') !== '') {
    throw new Error(`prometheus ${version} is missing: ${HOW_TO_GET_PROMETHEUS}`);
  }
  return binary;
}

/** The newest promtool there is. */
export function findPromtool(): string | undefined {
  return (
    fetchedTool('prometheus-3.5', 'promtool') ??
    fetchedTool('prometheus-2.53', 'promtool') ??
    fetchedTool('prometheus-2.42', 'promtool') ??
    onPath('promtool')[0]
  );
}

/**
 * Has `promtool check metrics` judge a text exposition.
 * Its code is 0 when all is well, 1 where the text can't be parsed, 3 where it breaks a naming convention.
 */
export function promtoolCheckMetrics(text: string): Promise<{ code: number; output: string }> {
  return promtool(['check', 'metrics'], text);
}

/** Has `promtool check rules` judge a file of rules. Its code is 0 when all is well. */
export function promtoolCheckRules(file: string): Promise<{ code: number; output: string }> {
  return promtool(['check', 'rules', file], '');
}

async function promtool(
  parameters: readonly string[],
  input: string,
): Promise<{ code: number; output: string }> {
  const binary = findPromtool();
  if (binary === undefined) throw new Error(`promtool is missing: ${HOW_TO_GET_PROMETHEUS}`);
  const child = spawn(binary, parameters, { timeout: PROMTOOL_TIMEOUT_MS, killSignal: 'SIGKILL' });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  // It may give up before it has read everything; its code then says why.
  child.stdin.on('error', () => undefined).end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === null) throw new Error(`promtool was ended by ${signal}: ${output}`);
  return { code, output };
}

/**
 * One entry of `scrape_configs`, every setting spelled as Prometheus spells it; `targets` stands for one `static_configs`.
 * Two servers on one machine share a source address: tell them apart by `params: { scraper: ['A'] }`.
 */
export interface ScrapeConfig {
  readonly job_name: string;
  /** As `host:port`. */
  readonly targets: readonly string[];
  readonly scrape_interval?: string;
  readonly scrape_timeout?: string;
  readonly metrics_path?: string;
  readonly params?: Readonly<Record<string, readonly string[]>>;
  readonly honor_labels?: boolean;
  readonly honor_timestamps?: boolean;
  readonly track_timestamps_staleness?: boolean;
  readonly scrape_protocols?: readonly string[];
  readonly sample_limit?: number;
  readonly [setting: string]: unknown;
}

export interface PrometheusOptions {
  readonly binary: string;
  /** Entries, or the YAML text of the list. The interval is one second unless an entry says otherwise. */
  readonly scrapeConfigs: readonly ScrapeConfig[] | string;
  /** Other top-level settings, such as `{ storage: { tsdb: { out_of_order_time_window: '30m' } } }`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Further flags, such as `--enable-feature=native-histograms`. */
  readonly flags?: readonly string[];
  /** Where its data is; in a folder of its own, unless told. */
  readonly dataFolder?: string;
}

/** What a query finds of one series. An instant vector has one sample a series; a range selector has the raw ones. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** `at` is in Unix milliseconds. */
  readonly samples: readonly { readonly at: number; readonly value: number }[];
}

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly health: 'up' | 'down' | 'unknown';
  /** Empty when there is none. */
  readonly lastError: string;
}

/**
 * A real Prometheus on a loopback port, with a data folder of its own that lives until `stop()`.
 * It may take some 5 s from `start()` to its first scrape.
 */
export class Prometheus implements AsyncDisposable {
  readonly #options: PrometheusOptions;
  #scrapeConfigs: PrometheusOptions['scrapeConfigs'];
  #folder: string | undefined;
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(options: PrometheusOptions) {
    this.#options = options;
    this.#scrapeConfigs = options.scrapeConfigs;
  }

  /** As `http://127.0.0.1:port`; the port stays the same through restarts. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('this Prometheus is not running');
    return this.#child.pid;
  }

  /** Resolves when it is ready; rejects with the tail of its log when it does not get there. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error('this Prometheus is running already');
    this.#folder ??= await mkdtemp(join(tmpdir(), 'prometheus-'));
    if (this.#port === 0) this.#port = await freePort();
    await this.#writeConfig();
    this.#child = this.#spawn(this.#folder);
    try {
      await this.#ready(this.#child);
    } catch (cause) {
      const tail = (await this.log()).slice(-LOG_TAIL_CHARS);
      await this.stop();
      throw new Error(`${this.#options.binary} did not start:\n${tail}`, { cause });
    }
  }

  /** Evaluates an expression at a time in Unix milliseconds; now, unless told. */
  async query(promql: string, time?: number): Promise<readonly Series[]> {
    const parameters = { query: promql, ...(time === undefined ? {} : { time: seconds(time) }) };
    return series(await this.#get<QueryData>('query', parameters));
  }

  /** Evaluates an expression at each step from start to end, all in milliseconds. */
  async queryRange(promql: string, start: number, end: number, step: number): Promise<readonly Series[]> {
    const parameters = { query: promql, start: seconds(start), end: seconds(end), step: seconds(step) };
    return series(await this.#get<QueryData>('query_range', parameters));
  }

  /** The label sets that match a selector between two times in Unix milliseconds. */
  async series(match: string, start: number, end: number): Promise<readonly Series['metric'][]> {
    return this.#get<Series['metric'][]>('series', {
      'match[]': match,
      start: seconds(start),
      end: seconds(end),
    });
  }

  /** The targets that it scrapes. */
  async targets(): Promise<readonly Target[]> {
    const { activeTargets } = await this.#get<{ activeTargets: Target[] }>('targets', { state: 'active' });
    return activeTargets;
  }

  /** Reads the configuration anew, with other scrape configs if any are given. Rejects when it is refused. */
  async reload(scrapeConfigs?: PrometheusOptions['scrapeConfigs']): Promise<void> {
    if (scrapeConfigs !== undefined) this.#scrapeConfigs = scrapeConfigs;
    await this.#writeConfig();
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(`${this.url}/-/reload`, { method: 'POST', signal });
    if (!response.ok) throw new Error(`reload: ${response.status} ${await response.text()}`);
  }

  /** All that it has logged since its first start. */
  async log(): Promise<string> {
    return this.#folder === undefined ? '' : readFile(join(this.#folder, 'log'), 'utf8');
  }

  /** Ends it as a crash would (SIGKILL); what it has stored stays. */
  async kill(): Promise<void> {
    if (!(await this.#end('SIGKILL', KILL_TIMEOUT_MS)))
      throw new Error(`process ${this.pid} survived SIGKILL`);
  }

  /** Ends it in an orderly way; what it has stored stays. */
  async halt(): Promise<void> {
    await this.#terminate();
  }

  /** Starts it again on what it has stored, ending it in an orderly way first if it is running. */
  async restart(): Promise<void> {
    await this.#terminate();
    await this.start();
  }

  /** Ends it and removes all that it has stored. */
  async stop(): Promise<void> {
    await this.#terminate();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #terminate(): Promise<void> {
    if (!(await this.#end('SIGTERM', STOP_TIMEOUT_MS))) await this.kill();
  }

  /** Whether it has ended within the time. */
  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
    const child = this.#child;
    if (child === undefined) return true;
    child.kill(signal);
    const deadline = Date.now() + timeoutMs;
    while (isRunning(child)) {
      if (Date.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    this.#child = undefined;
    return true;
  }

  #spawn(folder: string): ChildProcess {
    const log = openSync(join(folder, 'log'), 'a');
    try {
      const flags = [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${this.#options.dataFolder ?? join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
        '--web.enable-lifecycle',
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
      if (await isReady(this.url)) return;
      await sleep(POLL_MS);
    }
    throw new Error(`it was not ready after ${READY_TIMEOUT_MS} ms`);
  }

  async #writeConfig(): Promise<void> {
    if (this.#folder === undefined) throw new Error('this Prometheus is not started');
    // JSON is YAML.
    const settings = Object.entries({ global: { scrape_interval: '1s' }, ...this.#options.settings })
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
      .join('');
    const jobs =
      typeof this.#scrapeConfigs === 'string'
        ? `\n${this.#scrapeConfigs}\n`
        : JSON.stringify(
            this.#scrapeConfigs.map(({ targets, ...rest }) => ({ ...rest, static_configs: [{ targets }] })),
          );
    await writeFile(join(this.#folder, 'prometheus.yml'), `${settings}scrape_configs: ${jobs}\n`);
  }

  async #get<T>(endpoint: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(
      `${this.url}/api/v1/${endpoint}?${new URLSearchParams(parameters).toString()}`,
      {
        signal,
      },
    );
    const answer = (await response.json()) as
      { status: 'success'; data: T } | { status: 'error'; error: string };
    if (answer.status === 'error') throw new Error(`${endpoint}: ${answer.error}`);
    return answer.data;
  }
}

type RawSample = readonly [seconds: number, value: string];

type QueryData =
  | { resultType: 'vector'; result: { metric: Series['metric']; value: RawSample }[] }
  | { resultType: 'matrix'; result: { metric: Series['metric']; values: RawSample[] }[] }
  | { resultType: 'scalar'; result: RawSample };

function series(data: QueryData): readonly Series[] {
  switch (data.resultType) {
    case 'vector':
      return data.result.map(({ metric, value }) => ({ metric, samples: [sample(value)] }));
    case 'matrix':
      return data.result.map(({ metric, values }) => ({
        metric,
        samples: values.map((value) => sample(value)),
      }));
    case 'scalar':
      return [{ metric: {}, samples: [sample(data.result)] }];
    default:
      return data satisfies never;
  }
}

function sample([at, value]: RawSample): Series['samples'][number] {
  return { at: Math.round(at * 1000), value: Number(value.replace('Inf', 'Infinity')) };
}

function seconds(millis: number): string {
  return (millis / 1000).toFixed(3);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function isThree(binary: string): boolean {
  // Prometheus 2.42 says it on stderr, later ones on stdout.
  const { stdout, stderr } = spawnSync(binary, ['--version'], {
    encoding: 'utf8',
    timeout: REQUEST_TIMEOUT_MS,
  });
  return /^prometheus, version 3\./m.test(`${stdout}\n${stderr}`);
}
