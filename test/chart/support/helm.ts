import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RUN_TIMEOUT_MS = 120_000;

export const CHART = join(import.meta.dirname, '../../../charts/oneShotMetricsServer');

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Rejects when a signal ended it. */
export async function run(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Run> {
  const child = spawn(program, args, {
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === null) throw new Error(`${program} was ended by ${signal}: ${stderr}`);
  return { code, stdout, stderr };
}

/** A Helm with a home of its own, so that it neither reads nor leaves anything of the user's. */
export class Helm implements Disposable {
  readonly #binary: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'helm-'));
  readonly #env: Record<string, string>;

  constructor(binary: string, env: Record<string, string> = {}) {
    this.#binary = binary;
    const home = (name: string) => join(this.#home, name);
    this.#env = {
      HELM_CACHE_HOME: home('cache'),
      HELM_CONFIG_HOME: home('config'),
      HELM_DATA_HOME: home('data'),
      ...env,
    };
  }

  run(...args: readonly string[]): Promise<Run> {
    return run(this.#binary, args, { env: this.#env, cwd: this.#home });
  }

  /** What it prints. Rejects with what it complains of. */
  async succeed(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  /** What it complains of. Rejects when all was well. */
  async fail(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code === 0) throw new Error(`helm ${args.join(' ')} succeeded: ${stdout}`);
    return stderr;
  }

  /**
   * The manifests of a release named `events-to-metrics`, for a Kubernetes version: a Helm that is built from its module
   * knows of none by itself. Helm 4 ends each manifest with an empty line where Helm 3 does not.
   */
  async template(kubernetes: string, chart: string, ...args: readonly string[]): Promise<string> {
    const text = await this.succeed(
      'template',
      'events-to-metrics',
      chart,
      '--kube-version',
      kubernetes,
      ...args,
    );
    return text.replaceAll(/\n\s*\n---\n/g, '\n---\n').replace(/\s*$/, '\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
