import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';

const CACHE = join(tmpdir(), 'oneshot-floods-logs');
const MAKE_MS_MAX = 20 * 60_000;
/** The arrival of its entries has to be recent, so an older one is made anew. */
const AGE_MS_MAX = 3 * 3600_000;
/** What an entry takes on disk. */
const ENTRY_BYTES = 4_300;
/** The suite as a whole stays below it. */
export const DISK_BYTES_MAX = 12 * 1024 ** 3;

/** Puts a log with so many entries into a folder: a copy of one that is made once and kept. Throws where there is no room on the disk. */
export async function putLog(checkout: string, folder: string, entries: number): Promise<void> {
  const bytes = 2 * entries * ENTRY_BYTES;
  await mkdir(CACHE, { recursive: true });
  const { bavail, bsize } = await statfs(CACHE);
  if (bytes > DISK_BYTES_MAX || bavail * bsize < 2 * bytes)
    throw new Error(`${entries} entries take ${bytes} bytes on disk; ${bavail * bsize} are free in ${CACHE}`);
  const cached = join(CACHE, String(entries));
  if (existsSync(cached) && Date.now() - (await stat(cached)).mtimeMs > AGE_MS_MAX)
    await rm(cached, { recursive: true, force: true });
  if (!existsSync(cached)) {
    const made = `${cached}.${process.pid}`;
    try {
      await new Child('makeLog.ts', [checkout, made, String(entries)], MAKE_MS_MAX).report;
      await rename(made, cached);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  }
  await cp(cached, folder, { recursive: true });
}

/** Removes what is kept. */
export async function forgetLogs(): Promise<void> {
  await rm(CACHE, { recursive: true, force: true });
}
