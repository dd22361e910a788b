import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Copy } from '../http/backupRoute.ts';
import type { Log } from '../log/log.ts';

/** Below the log's folder, so that the copy is on the same disk and under the same rights; empty between backups. */
const FOLDER = 'backup';

/** Makes a copy of the log below its folder; undefined where it keeps nothing on a disk. One at a time. */
export async function copyOf(log: Log, storePath: string): Promise<Copy | undefined> {
  const folder = join(storePath, FOLDER);
  const path = join(folder, 'events.db');
  const remove = () => rm(folder, { recursive: true, force: true });
  // One that a crash left.
  await remove();
  try {
    if (await log.copyTo(path)) return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
  await remove();
  return undefined;
}
