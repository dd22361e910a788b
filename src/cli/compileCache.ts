import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from '../config/environment.ts';

/** Whose process it is. */
export interface User {
  /** Undefined where nothing says so, or where there are no numbers. */
  readonly id: number | undefined;
  readonly home: string | undefined;
}

/** Others may write. */
const OTHERS_WRITE = 0o022;
const ONLY_OURS = 0o700;
const NAME = 'oneshot/compiled';

/**
 * Has Node keep what it compiles, so that the next start takes two thirds of the time. Does nothing where there is no place that is safe, where
 * NODE_COMPILE_CACHE names one already, where NODE_DISABLE_COMPILE_CACHE forbids it, and on a Node that can't.
 *
 * What is in the cache is run without being looked at: Node checks that an entry was made of the same source, which whoever plants one
 * can see to. So it is not in a folder for all, as Node's own default in the temporary folder is, but in the user's cache, and only
 * where nobody else can write there or put another folder in its place. See decision 0033.
 */
export function keepCompiled(user: User, env: Environment): void {
  if (env['NODE_COMPILE_CACHE'] !== undefined || !('enableCompileCache' in module)) return;
  const folder = safeFolder(user, env);
  // It never throws: where the folder can't be used, there is no cache.
  if (folder !== undefined) module.enableCompileCache(folder);
}

/** The folder for it, made if there was none; undefined where there is no safe one. */
export function safeFolder({ id, home = '' }: User, env: Environment): string | undefined {
  // Source: https://specifications.freedesktop.org/basedir-spec/latest/, which says to ignore a relative path.
  const caches = [env['XDG_CACHE_HOME'] ?? '', home].find((path) => path.startsWith('/'));
  if (caches === undefined || id === undefined) return undefined;
  const base = resolve(caches);
  const folder = caches === home ? join(base, '.cache', NAME) : join(base, NAME);
  if (!isOurs(base, id)) return undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: ONLY_OURS });
    for (let each = folder; each !== base; each = dirname(each)) if (!isOurs(each, id)) return undefined;
  } catch {
    return undefined;
  }
  return folder;
}

/** Whether a path is a folder that belongs to a user, and in which nobody else can write. */
function isOurs(path: string, id: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === id && (found.mode & OTHERS_WRITE) === 0;
}
