import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { layOut } from './check.ts';
import type { Content } from './disk.ts';
import { Disk } from './disk.ts';
import { contentOf, difference, startRecorded } from './recorded.ts';
import type { Deed } from './recording.ts';
import { readRecording } from './recording.ts';
import type { ServerProcess } from '../../support/server.ts';

/** A process, from its start to its end. */
export interface Life {
  /** The number of its first deed, of all lives. */
  readonly first: number;
  readonly deeds: readonly Deed[];
  /** What it found, if that isn't what the one before left. */
  readonly found: Content | undefined;
}

/** How a life goes. */
export interface Plan {
  /** The recorder kills it after so many deeds, between two of them; 0: it is ended by SIGTERM. */
  readonly killAfter: number;
  /** Changes, before the start, what stands in the folder, by its path. */
  readonly before?: (root: string) => void;
  /** Resolves once it may be ended. */
  readonly load: (server: ServerProcess) => Promise<void>;
  /** Whether the machine loses its power with it. */
  readonly losesPower?: boolean;
}

/** Servers that live one after the other on one folder. */
export class Lives {
  readonly all: Life[] = [];
  readonly #folder: string;
  readonly #root: string;
  readonly #flags: readonly string[];
  #disk = new Disk(new Map());
  #found: Content | undefined;

  /** `folder` is there, and is empty. */
  constructor(folder: string, flags: readonly string[]) {
    this.#folder = folder;
    this.#root = join(folder, 'root');
    this.#flags = flags;
    mkdirSync(this.#root);
  }

  get count(): number {
    return this.all.reduce((sum, { deeds }) => sum + deeds.length, 0);
  }

  /** Lives once more. Throws where the recorder missed something: what it says must be there is compared with what is. */
  async live({ killAfter, before, load, losesPower = false }: Plan, random: () => number): Promise<void> {
    const recording = join(this.#folder, `recording-${this.all.length}`);
    if (before !== undefined) {
      before(this.#root);
      this.#beginWith(contentOf(this.#root));
    }
    const server = await startRecorded(this.#root, recording, killAfter, this.#flags);
    await load(server);
    const code = killAfter === 0 ? await server.end('SIGTERM') : await server.exited;
    if (code !== (killAfter === 0 ? 0 : 'SIGKILL')) throw new Error(`ended with ${code}: ${server.output()}`);
    const deeds = readRecording(recording);
    this.all.push({ first: this.count, deeds, found: this.#found });
    this.#found = undefined;
    for (const deed of deeds) this.#disk.do(deed);
    this.#disk.endProcess();
    const missed = difference(contentOf(this.#root), this.#disk.content());
    if (missed !== undefined) throw new Error(`the recorder missed something: ${missed}`);
    if (losesPower) {
      const left = this.#disk.afterPowerLoss({ random, data: 'sectors', names: 'any', fill: 'garbage' });
      layOut(left, this.#root);
      this.#beginWith(left);
    }
  }

  #beginWith(found: Content): void {
    this.#found = found;
    this.#disk = new Disk(found);
  }
}
