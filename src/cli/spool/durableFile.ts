import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../core/folders.ts';

/** Makes a folder, and those above it, for its owner only; they survive a loss of power. Throws what the system throws. */
export async function makeDurably(folder: string): Promise<void> {
  const first = await makeFolders(folder, { mkdir: (path) => mkdir(path, 0o700), stat, dirname });
  if (first === undefined) return;
  // A folder's name is kept by the folder above it.
  for (let path = folder; path.length >= first.length; path = dirname(path)) await syncFolder(dirname(path));
}

/**
 * Writes a file that is either there whole, also after a loss of power, or not there: it is written and synced under a name of its own
 * in the same folder, renamed, and the folder is synced. Throws what the system throws, and leaves nothing then.
 */
export async function writeDurably(
  folder: string,
  temporary: string,
  name: string,
  text: string,
): Promise<void> {
  const from = join(folder, temporary);
  try {
    const file = await open(from, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(from, join(folder, name));
  } catch (error) {
    await rm(from, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
