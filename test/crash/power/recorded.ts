import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sharedLibrary } from '../../support/compiler.ts';
import { ServerProcess } from '../../support/server.ts';
import type { Content } from './disk.ts';

/** Starts a server whose deeds below a folder are recorded. It is killed after so many deeds, between two of them; 0: never. */
export async function startRecorded(
  root: string,
  recording: string,
  killAfter: number,
  flags: readonly string[],
): Promise<ServerProcess> {
  const env = {
    LD_PRELOAD: sharedLibrary(join(import.meta.dirname, 'recorder.c')),
    RECORDER_ROOT: root,
    RECORDER_FILE: recording,
    RECORDER_KILL: String(killAfter),
  };
  return ServerProcess.start([`--store.path=${join(root, 'data')}`, ...flags], { env });
}

/** What stands below a folder. */
export function contentOf(root: string): Content {
  const content = new Map<string, Buffer | 'folder'>();
  for (const each of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(each.parentPath, each.name);
    content.set(relative(root, path), each.isDirectory() ? 'folder' : readFileSync(path));
  }
  return content;
}

/** Where two differ; undefined where they don't. */
export function difference(a: Content, b: Content): string | undefined {
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [one, other] = [a.get(name), b.get(name)];
    const isSame = Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other;
    if (!isSame) return `${name}: ${sizeOf(one)}, not ${sizeOf(other)}`;
  }
  return undefined;
}

function sizeOf(content: Buffer | 'folder' | undefined): string {
  return Buffer.isBuffer(content) ? `${content.length} bytes` : String(content);
}
