import { describe, expect, it } from 'vitest';
import { AccessFileError } from './error.ts';
import { ReloadingFile } from './reloadingFile.ts';

/** A file `main` that names another one, in memory. */
function harness(files: Record<string, string>) {
  const told: string[] = [];
  const file = new ReloadingFile<string>(
    'main',
    async (read) => {
      const other = await read('main');
      if (other === 'bad') throw new AccessFileError('main is bad');
      return read(other).catch(() => {
        throw new AccessFileError(`no ${other}`);
      });
    },
    async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
    { reloaded: (path) => told.push(`reloaded ${path}`), kept: (_path, error) => told.push(error.message) },
    (before, next) => {
      if (before === 'closed' && next === 'open') throw new AccessFileError('may not follow');
    },
  );
  return { file, files, told };
}

describe('a file that is read again', () => {
  it('is not, while neither it nor what it names changes', async () => {
    const { file, told } = harness({ main: 'a', a: '1' });
    await file.start();
    await file.check();
    expect({ current: file.current, told }).toEqual({ current: '1', told: [] });
  });

  it('is, when what it names changes, and when it names another', async () => {
    const { file, files, told } = harness({ main: 'a', a: '1', b: '2' });
    await file.start();
    let changes = 0;
    file.onChange(() => (changes += 1));
    files['a'] = '3';
    await file.check();
    expect(file.current).toBe('3');
    files['main'] = 'b';
    await file.check();
    expect({ current: file.current, told, changes }).toEqual({
      current: '2',
      told: ['reloaded main', 'reloaded main'],
      changes: 2,
    });
  });

  it('keeps the last good one, tells once why, and takes the next good one', async () => {
    const { file, files, told } = harness({ main: 'a', a: '1', b: '2' });
    await file.start();
    files['main'] = 'bad';
    await file.check();
    await file.check();
    expect({ current: file.current, told }).toEqual({ current: '1', told: ['main is bad'] });
    files['main'] = 'c';
    await file.check();
    await file.check();
    expect(told).toEqual(['main is bad', 'no c']);
    files['c'] = '4';
    await file.check();
    expect({ current: file.current, last: told.at(-1) }).toEqual({ current: '4', last: 'reloaded main' });
  });

  it('keeps it when it vanishes', async () => {
    const { file, files, told } = harness({ main: 'a', a: '1' });
    await file.start();
    delete files['a'];
    await file.check();
    await file.check();
    expect({ current: file.current, told }).toEqual({ current: '1', told: ['no a'] });
  });

  it('does not take a change that may not follow', async () => {
    const { file, files, told } = harness({ main: 'a', a: 'closed' });
    await file.start();
    files['a'] = 'open';
    await file.check();
    expect({ current: file.current, told }).toEqual({ current: 'closed', told: ['may not follow'] });
  });
});
