import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onPath } from './tools.ts';

/** What to do where a test is skipped for want of a compiler. */
export const HOW_TO_GET_A_COMPILER =
  'cc compiles a library for LD_PRELOAD; on Debian it is in the packages gcc and libc6-dev';

/** Whether a library can be compiled and put before the C library. In CI a missing compiler throws. */
export function hasCompiler(): boolean {
  const found = process.platform === 'linux' && onPath('cc').length > 0;
  if (!found && (process.env['CI'] ?? '') !== '') throw new Error(`CI needs cc: ${HOW_TO_GET_A_COMPILER}`);
  return found;
}

/** Compiles a shared library of one C file, into `.cache`, unless that was done before. Returns its path. */
export function sharedLibrary(source: string): string {
  const folder = join(import.meta.dirname, '../../.cache/libraries');
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(folder, `${basename(source, '.c')}-${process.arch}-${digest}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const made = `${library}.${process.pid}`;
  const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  execFileSync('cc', [...options, '-o', made, source, '-ldl', '-lpthread'], { stdio: 'inherit' });
  renameSync(made, library);
  return library;
}
