import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { safeFolder } from './compileCache.ts';

const me = process.getuid?.();

describe.skipIf(me === undefined)('where what is compiled is kept', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'home-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const folder = (env = {}) => safeFolder({ id: me, home }, env);

  test("is a folder of the user's, which nobody else can write", () => {
    const made = folder();
    expect(made).toBe(join(home, '.cache', 'oneshot', 'compiled'));
    expect(statSync(made as string).mode & 0o777).toBe(0o700);
    expect(folder()).toBe(made);
  });

  test('is where XDG_CACHE_HOME says, if that is a whole path', () => {
    const caches = join(home, 'caches');
    mkdirSync(caches, { mode: 0o700 });
    expect(folder({ XDG_CACHE_HOME: `${caches}/` })).toBe(join(caches, 'oneshot', 'compiled'));
    expect(folder({ XDG_CACHE_HOME: 'caches' })).toBe(join(home, '.cache', 'oneshot', 'compiled'));
  });

  test.each(['', '.cache', '.cache/oneshot', '.cache/oneshot/compiled'])(
    'is nowhere if others can write in ~/%s',
    (path) => {
      folder();
      for (const mode of [0o770, 0o707]) {
        chmodSync(join(home, path), mode);
        expect(folder()).toBeUndefined();
      }
      chmodSync(join(home, path), 0o755);
      expect(folder()).toBeDefined();
    },
  );

  test("is nowhere if a folder is somebody else's", () => {
    expect(safeFolder({ id: (me ?? 0) + 1, home }, {})).toBeUndefined();
  });

  test('is nowhere if a link stands in its place', () => {
    const elsewhere = join(home, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    mkdirSync(join(home, '.cache'), { mode: 0o700 });
    symlinkSync(elsewhere, join(home, '.cache', 'oneshot'));
    expect(folder()).toBeUndefined();
  });

  test('is nowhere if there is no home, none that is a whole path, a file in the way, or a user without a number', () => {
    expect(safeFolder({ id: me, home: undefined }, {})).toBeUndefined();
    expect(safeFolder({ id: me, home: 'home' }, {})).toBeUndefined();
    expect(safeFolder({ id: me, home: join(home, 'none') }, {})).toBeUndefined();
    expect(safeFolder({ id: undefined, home }, {})).toBeUndefined();
    writeFileSync(join(home, '.cache'), '');
    expect(folder()).toBeUndefined();
  });
});
