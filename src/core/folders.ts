/** What making folders needs of a file system. */
export interface FolderSystem {
  mkdir(path: string): Promise<unknown>;
  stat(path: string): Promise<{ isDirectory(): boolean }>;
  dirname(path: string): string;
}

/**
 * Makes a folder where it is missing, and those above it. Resolves with the topmost that it made; undefined where there was nothing to
 * make. Throws what the system throws. Node's own `recursive` never ends where a folder can't be made in one that is there (ENOENT), as in
 * /proc, or under an automounter.
 */
export async function makeFolders(folder: string, system: FolderSystem): Promise<string | undefined> {
  try {
    return await make(folder, system);
  } catch (error) {
    const parent = system.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    const topmost = await makeFolders(parent, system);
    const made = await make(folder, system);
    return topmost ?? made;
  }
}

/** Makes one folder, unless it is there, perhaps since just now. */
async function make(folder: string, system: FolderSystem): Promise<string | undefined> {
  try {
    await system.mkdir(folder);
    return folder;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    const found = await system.stat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true) throw error;
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
