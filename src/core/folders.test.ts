import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolders } from './folders.ts';

const REAL = { mkdir: (path: string) => mkdir(path), stat, dirname };

describe('folders', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'folders-'));
  });
  afterEach(async () => rm(root, { recursive: true, force: true }));

  it('are made with those above them, and the topmost that is new is told', async () => {
    expect(await makeFolders(join(root, 'a', 'b', 'c'), REAL)).toBe(join(root, 'a'));
    expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true);
    expect(await makeFolders(join(root, 'a', 'b', 'd'), REAL)).toBe(join(root, 'a', 'b', 'd'));
  });

  it('that are there stay, also through a link, and a file is none', async () => {
    await symlink(root, join(root, 'link'));
    await writeFile(join(root, 'file'), '');
    expect(await makeFolders(root, REAL)).toBeUndefined();
    expect(await makeFolders(join(root, 'link'), REAL)).toBeUndefined();
    await expect(makeFolders(join(root, 'file'), REAL)).rejects.toThrow('EEXIST');
    await expect(makeFolders(join(root, 'file', 'a'), REAL)).rejects.toThrow('ENOTDIR');
  });

  it.skipIf(process.platform !== 'linux')(
    'that the system never makes are an error, not an endless loop',
    async () => {
      await expect(makeFolders('/proc/none', REAL)).rejects.toThrow('ENOENT');
      await expect(makeFolders('/proc/none/below', REAL)).rejects.toThrow('ENOENT');
    },
  );

  it('that another process makes at the same moment are there', async () => {
    const path = join(root, 'x', 'y', 'z');
    await Promise.all(Array.from({ length: 20 }, async () => makeFolders(path, REAL)));
    expect(existsSync(path)).toBe(true);
  });
});
