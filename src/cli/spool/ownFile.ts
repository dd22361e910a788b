import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';

/** Bits of a mode by which the group and others may write. */
const OTHERS_WRITE = 0o022;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Who runs this process; undefined on systems without users of this kind. */
const userId = (): number | undefined => process.geteuid?.();

/**
 * Why a folder is not this user's alone, and what to do; undefined where it is, or isn't there yet. Who can write to it could have this
 * user send events of theirs, with this user's credentials. Throws what the system throws.
 */
export async function sharedBecause(folder: string): Promise<string | undefined> {
  const stats = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const user = userId();
  if (stats === undefined || user === undefined) return undefined;
  if (!stats.isDirectory())
    return stats.isSymbolicLink() ? 'it is a symbolic link; name the folder itself' : undefined;
  if (stats.uid !== user)
    return `it belongs to user ${stats.uid}, but you are user ${user}; run this as that user, or choose another folder with --spool`;
  if ((stats.mode & OTHERS_WRITE) === 0) return undefined;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  return `others can write to it (mode ${mode}); check that everything in it is yours, then run chmod go-w on it`;
}

/** A file's text. Undefined where it is no file of this user's. Throws what the system throws. */
export async function readOwnFile(path: string): Promise<string | undefined> {
  await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const stats = await file.stat();
  const user = userId();
  if (!stats.isFile() || (user !== undefined && stats.uid !== user)) return undefined;
  return file.readFile('utf8');
}
