import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Folder } from './candidates.ts';

const LOAD_CORE = '1';
const run = promisify(execFile);

/** The same request again and again, from so many connections that are kept. */
export interface Load {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly body?: { readonly text: string; readonly type: string };
}

/** What came of a load. Latencies are in ms. */
export interface Throughput {
  readonly perSecond: number;
  readonly p99: number;
  /** Answers that were no 2xx. */
  readonly failed: number;
}

/** Which program makes the load: wrk where it is installed, else autocannon. */
export const LOADER: 'wrk' | 'autocannon' =
  spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined ? 'wrk' : 'autocannon';

/** Puts a load of POST requests on a server. */
export function post(url: string, load: Load, folder: Folder): Promise<Throughput> {
  return LOADER === 'wrk' ? byWrk(url, load, folder) : byAutocannon(url, load);
}

/** Runs a program of this folder on the load's core. Resolves to the number that it prints. */
export async function loadBy(program: string, ...args: readonly (string | number)[]): Promise<number> {
  const file = join(import.meta.dirname, program);
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', file];
  const { stdout } = await run('taskset', ['-c', LOAD_CORE, ...node, ...args.map(String)]);
  return Number(stdout);
}

/** The report is written by the script itself, so that no table is to be taken apart. */
function wrkScript({ path, body }: Load): string {
  const lines = [`wrk.method = "POST"`, `wrk.path = ${luaText(path)}`];
  if (body !== undefined)
    lines.push(`wrk.body = ${luaText(body.text)}`, `wrk.headers["Content-Type"] = ${luaText(body.type)}`);
  lines.push(
    'function done(summary, latency)',
    '  io.write(string.format("\\n%f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000,',
    '    summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))',
    'end',
    '',
  );
  return lines.join('\n');
}

function luaText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

async function byWrk(url: string, load: Load, folder: Folder): Promise<Throughput> {
  const script = folder.file();
  writeFileSync(script, wrkScript(load));
  const args = [
    '-c',
    LOAD_CORE,
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    '-s',
    script,
    url,
  ];
  const { stdout } = await run('taskset', args);
  const [perSecond = 0, p99 = 0, failed = 0] = (stdout.trimEnd().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  return { perSecond, p99, failed };
}

/** What is read of autocannon's JSON. */
interface Report {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}

async function byAutocannon(url: string, load: Load): Promise<Throughput> {
  const program = createRequire(import.meta.url).resolve('autocannon');
  const options = ['--json', '-m', 'POST', '-c', String(load.connections), '-d', String(load.seconds)];
  if (load.body !== undefined) options.push('-b', load.body.text, '-H', `Content-Type: ${load.body.type}`);
  const args = ['-c', LOAD_CORE, process.execPath, program, ...options, url + load.path];
  const { stdout } = await run('taskset', args, { maxBuffer: 1 << 24 });
  const { requests, latency, non2xx, errors } = JSON.parse(stdout) as Report;
  return { perSecond: requests.average, p99: latency.p99, failed: non2xx + errors };
}
