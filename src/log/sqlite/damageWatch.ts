import { constants, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Offset } from '../../core/offset.ts';
import type { Ranges } from '../../core/range.ts';
import { NONE, range, union, without } from '../../core/range.ts';
import type { DamageListener } from '../log.ts';
import type { Row } from '../block.ts';

/** Below the log's folder. */
const DAMAGED_FOLDER = 'damaged';
/** Files that are kept there at most, … */
const FILES_MAX = 100;
/** … and what they may take, in bytes. */
const BYTES_MAX = 64 * 1024 * 1024;
/** Damages that are known for having been told. Beyond that they may be told again. */
const TOLD_MAX = 1_000;

/** Tells each damage once, and keeps aside what could be read of it. */
export class DamageWatch {
  readonly #folder: string | undefined;
  readonly #listener: DamageListener;
  #told: Ranges = NONE;
  readonly #kept = new Set<string>();
  #filesLeft = FILES_MAX;
  #bytesLeft = BYTES_MAX;
  #isCounted = false;

  /** Without a folder nothing is kept aside. */
  constructor(folder: string | undefined, listener: DamageListener) {
    this.#folder = folder === undefined ? undefined : join(folder, DAMAGED_FOLDER);
    this.#listener = listener;
  }

  /** Entries beyond `after`, up to and with `upTo`, can't be read. Returns how many they are. */
  passedOver(after: Offset, upTo: Offset, why: string): number {
    // A read may end, or begin, within one that is told already.
    const [first] = without(range(after, upTo), this.#told);
    if (first !== undefined) {
      this.#told = union(this.#told.length < TOLD_MAX ? this.#told : NONE, range(after, upTo));
      this.#listener({ ...first, why });
    }
    return upTo - after;
  }

  /** Keeps a row that is not what was written, as long as there is room for it; whether that works changes nothing else. */
  keepAside(row: Row): void {
    const folder = this.#folder;
    if (folder === undefined) return;
    const name = `block-${String(row[0])}.json`;
    if (this.#kept.has(name)) return;
    if (this.#kept.size < TOLD_MAX) this.#kept.add(name);
    const [last, count, arrived, text, checksum] = row;
    const body = JSON.stringify({ last, count, arrived, checksum, text }, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    try {
      mkdirSync(folder, { recursive: true });
      this.#count(folder);
      if (this.#filesLeft <= 0 || this.#bytesLeft < Buffer.byteLength(body)) return;
      writeFileSync(join(folder, name), body, { flag: 'wx', mode: 0o600 });
      this.#filesLeft -= 1;
      this.#bytesLeft -= Buffer.byteLength(body);
    } catch {
      // There before, or no room for it: what is damaged is lost with it or without.
    }
  }

  /** Keeps a copy of a file, under its name and a number, if there is room for it. */
  keepFile(file: string, number: number): void {
    const folder = this.#folder;
    if (folder === undefined) return;
    try {
      mkdirSync(folder, { recursive: true });
      this.#count(folder);
      const { size } = statSync(file);
      if (this.#filesLeft <= 0 || this.#bytesLeft < size) return;
      copyFileSync(file, join(folder, `${basename(file)}-${number}`), constants.COPYFILE_EXCL);
      this.#filesLeft -= 1;
      this.#bytesLeft -= size;
    } catch {
      // As above.
    }
  }

  /** What stands there from before. */
  #count(folder: string): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    for (const name of readdirSync(folder)) {
      this.#filesLeft -= 1;
      this.#bytesLeft -= statSync(join(folder, name)).size;
    }
  }
}
