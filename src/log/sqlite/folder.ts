import { closeSync, fsyncSync, openSync } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolders } from '../../core/folders.ts';

/** Windows can't open a folder, and needs none of this. */
const CAN_SYNC = process.platform !== 'win32';

/**
 * Makes a folder where it is missing, and its parents. Returns the folders whose list of files this changes once a file is
 * created in it: the folder, and each that got a new one.
 */
export async function makeFolder(folder: string): Promise<readonly string[]> {
  const firstMade = await makeFolders(folder, { mkdir, stat, dirname });
  const changed = [folder];
  if (firstMade === undefined) return changed;
  let last = folder;
  while (last !== dirname(firstMade) && last !== dirname(last)) {
    last = dirname(last);
    changed.push(last);
  }
  return changed;
}

/** A new file survives a power loss only once its folder is synced too: https://man7.org/linux/man-pages/man2/fsync.2.html */
export async function syncFolders(folders: readonly string[]): Promise<void> {
  if (!CAN_SYNC) return;
  for (const folder of folders) {
    await using handle = await open(folder, 'r');
    await handle.sync();
  }
}

/** The same of one, while nothing else runs: its files are then called as they are called now. */
export function syncFolder(folder: string): void {
  if (!CAN_SYNC) return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
