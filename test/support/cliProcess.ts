import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<number | string>;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs a command in a process of its own, from the sources, with nothing of the test's own environment but PATH. */
export function spawnCli(
  argv: readonly string[],
  { env = {}, cwd, input = '' }: CliOptions = {},
): CliProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...argv], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // Who does not read its input may be gone before it is written.
  child.stdin.on('error', () => undefined).end(input);
  const exited = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, exited };
}

/** Runs a command to its end. */
export async function cli(argv: readonly string[], options: CliOptions = {}) {
  const { exited, stdout, stderr } = spawnCli(argv, options);
  return { code: await exited, stdout: stdout(), stderr: stderr() };
}

/** Puts a command `oneshot` into a folder, for shells: it runs the sources. */
export function installCommand(folder: string): void {
  const file = join(folder, 'oneshot');
  writeFileSync(
    file,
    `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"\n`,
  );
  chmodSync(file, 0o755);
}
