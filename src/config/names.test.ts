import { describe, expect, it } from 'vitest';
import { envName, suggestion } from './names.ts';
import { SETTINGS } from './settings.ts';

describe('the environment name of a key', () => {
  it.each([
    ['server.port', 'ONESHOT_SERVER_PORT'],
    ['server.trustedProxies', 'ONESHOT_SERVER_TRUSTED_PROXIES'],
    ['event.labelNameMax', 'ONESHOT_EVENT_LABEL_NAME_MAX'],
    ['web.config.file', 'ONESHOT_WEB_CONFIG_FILE'],
  ])('of %s is %s', (key, name) => {
    expect(envName(key)).toBe(name);
  });

  it('is different for each setting', () => {
    const names = Object.keys(SETTINGS).map(envName);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a suggestion', () => {
  const keys = ['server.host', 'server.port', 'server.trustedProxies'];

  it.each([
    ['server.prot', 'server.port'],
    ['server.ohst', 'server.host'],
    ['SERVER.PORT', 'server.port'],
    ['sever.host', 'server.host'],
    ['port', 'server.port'],
    ['server.trusted-proxies', 'server.trustedProxies'],
  ])('for %s is %s', (typed, meant) => {
    expect(suggestion(typed, keys, '--')).toBe(` (did you mean --${meant}?)`);
  });

  it('takes two letters in the wrong order for one mistake, so that short names are found, too', () => {
    expect(suggestion('psuh', ['push', 'run'])).toBe(' (did you mean push?)');
  });

  it.each(['', 'x', 'colour', 'scrape.interval', 'x'.repeat(100_000)])(
    'is not made for what is near nothing',
    (typed) => {
      expect(suggestion(typed, keys)).toBe('');
    },
  );
});
