import { describe, expect, it } from 'vitest';
import type { Environment } from './environment.ts';
import { ConfigError } from './error.ts';
import { loadSettings } from './load.ts';
import type { LoadedSettings } from './settings.ts';
import { SETTINGS } from './settings.ts';

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Environment;
  readonly files?: Readonly<Record<string, string>>;
}

function load({ argv = [], env = {}, files = {} }: Given = {}): LoadedSettings {
  const loaded = loadSettings({ argv, env, readFile: (path) => files[path] });
  if (loaded.action !== 'run') throw new Error(`not meant to ${loaded.action}`);
  return loaded;
}

function errorOf(given: Given): string {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

const flag = ['--server.port=1'];
const env = { ONESHOT_SERVER_PORT: '2' };
const files = { 'config.json': '{"server":{"port":3}}' };

describe('precedence', () => {
  it.each([
    ['a flag wins over the environment', { argv: flag, env, files }, 1, 'flag --server.port'],
    ['the environment wins over the file', { env, files }, 2, 'environment ONESHOT_SERVER_PORT'],
    ['the file wins over the default', { files }, 3, 'config.json'],
    ['the default is what remains', {}, 8090, 'default'],
  ])('%s', (_claim, given, value, origin) => {
    const { settings, origins } = load(given);
    expect(settings['server.port']).toBe(value);
    expect(origins['server.port']).toBe(origin);
  });

  it('does not look at a value that is overridden', () => {
    expect(load({ argv: flag, env: { ONESHOT_SERVER_PORT: 'x' } }).settings['server.port']).toBe(1);
  });

  it('lets a service link of Kubernetes override nothing', () => {
    const { settings, origins } = load({ env: { ONESHOT_SERVER_PORT: 'tcp://10.0.0.1:8090' }, files });
    expect(settings['server.port']).toBe(3);
    expect(origins['server.port']).toBe('config.json');
  });
});

describe('the defaults', () => {
  it('are what the table says, each from "default"', () => {
    const { settings, origins, file } = load();
    for (const [key, row] of Object.entries(SETTINGS)) {
      expect(settings).toHaveProperty([key], row.default);
      expect(origins).toHaveProperty([key], 'default');
    }
    expect(file).toBeUndefined();
  });

  it.each(Object.entries(SETTINGS))(
    'keep the rule of their type, written and read again: %s',
    (_key, row) => {
      const written = (row.type.format as (value: unknown) => string)(row.default);
      expect(row.type.parse(written === '""' ? '' : written)).toStrictEqual(row.default);
    },
  );
});

describe('the configuration file', () => {
  it('may be named, and must then exist', () => {
    const named = {
      argv: ['--config.file=/etc/o.json'],
      files: { ...files, '/etc/o.json': '{"server":{"port":4}}' },
    };
    const { settings, origins, file } = load(named);
    expect([settings['server.port'], origins['server.port'], file]).toStrictEqual([
      4,
      '/etc/o.json',
      '/etc/o.json',
    ]);
    expect(errorOf({ env: { ONESHOT_CONFIG_FILE: '/none' }, files })).toBe(
      'config.file (environment ONESHOT_CONFIG_FILE) names "/none", which does not exist; create it or correct the path',
    );
  });

  it('is config.json when the name is empty', () => {
    expect(load({ env: { ONESHOT_CONFIG_FILE: '' }, files }).file).toBe('config.json');
  });

  it('that can not be read stops the start', () => {
    const readFile = (): string => {
      throw new Error('EISDIR: illegal operation on a directory, read');
    };
    expect(() => loadSettings({ argv: [], env: {}, readFile })).toThrow(
      new ConfigError(
        'config.file: can\'t read "config.json": EISDIR: illegal operation on a directory, read; check the path and its permissions',
      ),
    );
  });
});

describe('an error', () => {
  it.each([
    [{ argv: ['--server.port=x'] }, 'server.port (flag --server.port) must be a port'],
    [{ env: { ONESHOT_SERVER_PORT: '' } }, 'server.port (environment ONESHOT_SERVER_PORT) must be a port'],
    [
      { env: { USE_EXPLICIT_TIMESTAMPS: 'y' } },
      'scrape.timestamps (environment USE_EXPLICIT_TIMESTAMPS) must be true or false',
    ],
    [{ files: { 'config.json': '{"server.port":"a\\nb"}' } }, 'server.port (config.json) must be a port'],
    [
      { argv: ['--counters.labels=type,__name__'] },
      'counters.labels (flag --counters.labels) must be a list',
    ],
    [{ argv: ['--event.metric=9\n'] }, 'event.metric (flag --event.metric) must be a metric name'],
  ])('is one line that names the key and where it came from: %j', (given, message) => {
    expect(errorOf(given)).toContain(message);
    expect(errorOf(given)).not.toContain('\n');
  });
});

describe('settings together', () => {
  it.each([
    [
      '--scrapers.lookback=10m',
      'scrapers.lookback (10m, flag --scrapers.lookback) must be shorter than scrapers.timeout (10m, default)',
    ],
    [
      '--scrape.lease=10m',
      'scrape.lease (10m, flag --scrape.lease) must be shorter than scrapers.timeout (10m, default)',
    ],
    [
      '--scrapers.namedTimeout=5m',
      'scrapers.lookback (5m, default) must be shorter than scrapers.namedTimeout (5m,',
    ],
    [
      '--scrapers.namedTimeout=6m',
      'scrape.lease (6m, default) must be shorter than scrapers.namedTimeout (6m,',
    ],
  ])('keep scrapers known for long enough: %s is refused', (word, message) => {
    expect(errorOf({ argv: [word] })).toContain(message);
  });

  it.each([['--event.ageMax=1m'], ['--pulse.width=50m']])(
    'end a pulse while Prometheus still takes it: %s is refused',
    (word) => {
      expect(errorOf({ argv: [word] })).toMatch(
        /^pulse\.width \(\d+m, .*\) must be shorter than event\.ageMax \(\d+m, .*\): otherwise the end of a pulse comes too late/,
      );
    },
  );

  it('say why', () => {
    expect(errorOf({ argv: ['--scrapers.lookback=11m'] })).toMatch(
      /: otherwise a scraper that was forgotten and comes back gets the same events twice; lower one or raise the other$/,
    );
  });

  it('are fine just below', () => {
    const { settings } = load({ argv: ['--scrapers.lookback=9m59s999ms', '--scrape.lease=9m59s999ms'] });
    expect(settings['scrapers.lookback']).toBe(599_999);
  });
});

describe('what is asked for', () => {
  it.each(['help', 'version'])('%s is given even with a broken configuration', (action) => {
    const asked = loadSettings({
      argv: [`--${action}`],
      env: { ONESHOT_NONSENSE: '1' },
      readFile: () => {
        throw new Error('must not be read');
      },
    });
    expect(asked).toStrictEqual({ action });
  });

  it('print-config carries the settings', () => {
    const loaded = loadSettings({ argv: ['--print-config', ...flag], env, readFile: () => undefined });
    expect(loaded).toMatchObject({ action: 'print-config', settings: { 'server.port': 1 } });
  });
});
