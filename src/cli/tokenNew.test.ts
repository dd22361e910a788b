import { describe, expect, it } from 'vitest';
import { runCommandAlone } from '../../test/support/cli.ts';
import { tokenNewOf } from './tokenNew.ts';

const command = tokenNewOf({
  scopes: ['write', 'scrape', 'admin'],
  randomBytes: 4,
  newToken: (random) => `t_${Buffer.from(random).toString('hex')}`,
  hashToken: (token) => `hash(${token})`,
  entry: ({ name, scopes, hash }) => {
    if (name === '') throw new RangeError('a name is not empty');
    return `- name: ${name}\n  scopes: [${scopes.join(', ')}]\n  hash: ${hash}\n`;
  },
});
const make = (...argv: string[]) =>
  runCommandAlone(command, argv, { randomBytes: (count) => new Uint8Array(count).fill(7) });

describe('token new', () => {
  it('prints the token where it can be piped, and the lines for the file beside it, which hold its hash only', async () => {
    expect(await make('--name=ci', '--scope=write,scrape')).toEqual({
      code: 0,
      stdout: 't_07070707\n',
      stderr: '- name: ci\n  scopes: [write, scrape]\n  hash: hash(t_07070707)\n',
    });
  });

  it('prints all of it as JSON', async () => {
    const { stdout, stderr } = await make('--name=ci', '--scope=admin', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'ci', scopes: ['admin'], token: 't_07070707' });
  });

  it.each([
    [['--scope=write'], '--name is missing; say whose token it is: --name=ci'],
    [['--name=', '--scope=write'], '--name: a name is not empty'],
    [['--name=ci'], '--scope "" doesn\'t exist; the scopes are write, scrape, admin'],
    [
      ['--name=ci', '--scope=write,root'],
      '--scope "root" doesn\'t exist; the scopes are write, scrape, admin',
    ],
    [['ci', '--scope=write'], 'unexpected "ci"; write --name=ci'],
  ])('%j is refused', async (argv, message) => {
    await expect(make(...argv)).rejects.toThrow(expect.objectContaining({ name: 'UsageError', message }));
  });
});
