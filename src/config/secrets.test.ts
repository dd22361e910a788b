import { describe, expect, it } from 'vitest';
import { loadSettings } from './load.ts';

function load(webhooks: unknown, readsSecrets = true) {
  const loaded = loadSettings({
    argv: [],
    env: { HOOK: 'from-env', EMPTY: '' },
    readFile: (path) => {
      if (path === 'config.json') return JSON.stringify({ webhooks });
      if (path === '/run/hook') return 'from-file\n';
      if (path === '/run/dir') throw new Error('EISDIR: it is a directory');
      return undefined;
    },
    readsSecrets,
  });
  if (loaded.action !== 'run') throw new Error(loaded.action);
  return loaded.settings.webhooks;
}

describe('secrets of webhooks', () => {
  it('stand in the settings, in the environment or in a file', () => {
    expect(
      load({
        a: { secret: 'inline' },
        b: { secret: { env: 'HOOK' }, preset: 'github' },
        c: { secret: { file: '/run/hook' } },
        d: { labels: {} },
      }),
    ).toEqual({
      a: { secret: 'inline' },
      b: { secret: 'from-env', preset: 'github' },
      c: { secret: 'from-file' },
      d: { labels: {} },
    });
  });

  it.each([
    [{ env: 'NONE' }, 'webhooks.a.secret: the environment variable "NONE" is missing; put the secret there'],
    [{ env: 'EMPTY' }, 'webhooks.a.secret: the environment variable "EMPTY" is empty; put the secret there'],
    [
      { env: 'ONESHOT_HOOK' },
      'webhooks.a.secret: the environment variable "ONESHOT_HOOK" is missing; choose a name that doesn\'t begin with ONESHOT_, because only settings do',
    ],
    [{ file: '/run/none' }, 'webhooks.a.secret: the file "/run/none" is missing; put the secret there'],
    [{ file: '/run/dir' }, 'webhooks.a.secret: can\'t read "/run/dir": EISDIR'],
    [{ env: 'hunter2' }, 'webhooks.a.secret: the environment variable that it names is missing'],
    [{ file: 'hunter2' }, 'webhooks.a.secret: the file that it names is missing'],
    [{ vault: 'x' }, 'webhooks.a.secret must be a string, {"env": "NAME"} or {"file": "path"}'],
    [
      { env: 'HOOK', file: '/run/hook' },
      'webhooks.a.secret must be a string, {"env": "NAME"} or {"file": "path"}',
    ],
    [{ env: 1 }, 'webhooks.a.secret must be a string, {"env": "NAME"} or {"file": "path"}'],
    [{}, 'webhooks.a.secret must be a string, {"env": "NAME"} or {"file": "path"}'],
  ])('%j stops the start', (secret, message) => {
    expect(() => load({ a: { secret } })).toThrow(message);
  });

  it('stay where they are for who has no use for them', () => {
    const webhooks = {
      a: { secret: { env: 'NONE' }, preset: 'github' },
      b: { secret: { file: '/run/dir' } },
      c: { secret: 'inline' },
    };
    expect(load(webhooks, false)).toEqual({
      a: { secret: 'not read', preset: 'github' },
      b: { secret: 'not read' },
      c: { secret: 'inline' },
    });
    expect(() => load({ a: { secret: {} } }, false)).toThrow('webhooks.a.secret must be a string');
  });
});
