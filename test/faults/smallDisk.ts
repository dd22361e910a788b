import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from '../support/atExit.ts';
import { temporaryFolder } from '../support/server.ts';

const DISK_BYTES = 24 << 20;
const PIECE_BYTES = 4096;
const BALLAST = 'ballast';

/** Whether small disks can be mounted here. In CI, where nothing may be skipped in silence, it throws where they can't. */
export function requireSmallDisk(): boolean {
  using folder = temporaryFolder();
  try {
    using _ = new SmallDisk(folder.path);
    return true;
  } catch (cause) {
    if ((process.env['CI'] ?? '') !== '') throw new Error('CI must be able to mount a tmpfs', { cause });
    return false;
  }
}

/** A folder that is a disk of its own, so small that it can be filled. Needs the right to mount. */
export class SmallDisk implements Disposable {
  readonly #path: string;
  readonly #calledOff: () => void;

  /** Mounts over an empty folder. */
  constructor(path: string) {
    this.#path = path;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path], { stdio: 'pipe' });
    this.#calledOff = atExit(() => this.#unmount());
  }

  /** Takes all the room that is left. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.#path);
    const ballast = join(this.#path, BALLAST);
    for (let bytes = bavail * bsize; bytes >= PIECE_BYTES; bytes -= PIECE_BYTES) {
      try {
        writeFileSync(ballast, Buffer.alloc(bytes));
        return;
      } catch (error) {
        // The server took some of it meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  free(): void {
    rmSync(join(this.#path, BALLAST), { force: true });
  }

  [Symbol.dispose](): void {
    this.#calledOff();
    this.#unmount();
  }

  #unmount(): void {
    execFileSync('umount', ['-l', this.#path], { stdio: 'pipe' });
  }
}
