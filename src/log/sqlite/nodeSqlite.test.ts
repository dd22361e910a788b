import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const FOLDER = import.meta.dirname;

it('no file needs a Node with SQLite only to be loaded: all ask nodeSqlite.ts for it', () => {
  const files = globSync('*.ts', { cwd: FOLDER }).filter((file) => !file.includes('.test.'));
  expect(files.length).toBeGreaterThan(5);
  const loading = files.filter((file) =>
    /^import (?!type ).*'node:sqlite'/m.test(readFileSync(join(FOLDER, file), 'utf8')),
  );
  expect(loading).toEqual([]);
});
