import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { printConfig } from '../config/describe.ts';
import { loadSettings } from '../config/load.ts';
import { sinkOptions } from './sinkOptions.ts';

const load = (sinks: unknown, argv: readonly string[] = []) =>
  loadSettings({
    argv,
    env: { TOKEN: 'from-env' },
    readFile: (path) =>
      path === '/secret' ? 'from-file\n' : path === 'config.json' ? JSON.stringify({ sinks }) : undefined,
  });
const read = (sinks: unknown) => {
  const loaded = load(sinks);
  if (loaded.action !== 'run') throw new Error('no settings');
  return sinkOptions(loaded.settings);
};
const URL_OK = 'https://db.example/api/v1/write';

describe('the sinks of the configuration', () => {
  it('have defaults for all but the URL', () => {
    expect(read({ db: { url: URL_OK } })).toEqual([
      {
        name: 'db',
        url: new URL(URL_OK),
        protocol: 'auto',
        headers: {},
        credentials: undefined,
        tls: {
          caFile: undefined,
          certFile: undefined,
          keyFile: undefined,
          serverName: undefined,
          insecureSkipVerify: false,
        },
        timeoutMs: 30_000,
        labels: {},
        ageMaxMs: 50 * 60_000,
        eventsMax: 5_000,
        select: undefined,
        ownMetrics: undefined,
      },
    ]);
  });

  it('have secrets from files and from the environment', () => {
    const [basic, bearer] = read({
      a: {
        url: URL_OK,
        basicAuth: { username: 'u', password: { file: '/secret' } },
        headers: { 'X-Key': { env: 'TOKEN' } },
      },
      b: { url: URL_OK, bearerToken: { env: 'TOKEN' } },
    });
    expect(basic?.credentials).toEqual({ kind: 'basic', username: 'u', password: 'from-file' });
    expect(basic?.headers).toEqual({ 'x-key': 'from-env' });
    expect(bearer?.credentials).toEqual({ kind: 'bearer', token: 'from-env' });
  });
});

const HIDDEN = 'hunter2';
test.each<[what: string, sinks: unknown, message: RegExp]>([
  ['a name', { 'a b': { url: URL_OK } }, /not a valid sink name/],
  ['no object', { db: HIDDEN }, /sinks\.db must be an object/],
  [
    'an unknown member',
    { db: { url: URL_OK, timout: HIDDEN } },
    /unknown member timout \(did you mean timeout\?\)/,
  ],
  [
    'a secret as a member',
    { db: { url: URL_OK, [HIDDEN]: 1 } },
    /sinks\.db has an unknown member; it can have url/,
  ],
  ['no URL', { db: {} }, /sinks\.db\.url is missing/],
  ['a URL of another kind', { db: { url: `ftp://${HIDDEN}/` } }, /http or https/],
  ['a user in the URL', { db: { url: `http://u:${HIDDEN}@h/` } }, /use basicAuth/],
  ['a protocol', { db: { url: URL_OK, protocol: 'v2' } }, /sinks\.db\.protocol must be one of/],
  ['a timeout', { db: { url: URL_OK, timeout: 5 } }, /sinks\.db\.timeout must be a duration/],
  ['two credentials', { db: { url: URL_OK, bearerToken: HIDDEN, bearerTokenFile: '/x' } }, /several of/],
  [
    'two authorizations',
    { db: { url: URL_OK, bearerToken: HIDDEN, headers: { Authorization: HIDDEN } } },
    /keep one/,
  ],
  [
    'an empty password',
    { db: { url: URL_OK, basicAuth: { username: 'u', password: '' } } },
    /basicAuth\.password/,
  ],
  ['a token with a line break', { db: { url: URL_OK, bearerToken: `${HIDDEN}\n` } }, /can't be in a header/],
  [
    'a header of the protocol',
    { db: { url: URL_OK, headers: { 'content-TYPE': 'x' } } },
    /set by the server/,
  ],
  ['a header twice', { db: { url: URL_OK, headers: { a: 'x', A: 'y' } } }, /twice/],
  [
    'a header that splits a request',
    { db: { url: URL_OK, headers: { a: `${HIDDEN}\r\nB: c` } } },
    /headers\.a must be/,
  ],
  [
    'half a certificate',
    { db: { url: URL_OK, tls: { certFile: '/x' } } },
    /only one of certFile and keyFile/,
  ],
  ['TLS without https', { db: { url: 'http://h/', tls: { caFile: '/x' } } }, /has no effect/],
  ['a label', { db: { url: URL_OK, labels: { __x: 'y' } } }, /not a valid label name/],
  ['an empty label', { db: { url: URL_OK, labels: { x: '' } } }, /sinks\.db\.labels\.x/],
  ['too many requests at once', { db: { url: URL_OK, eventsMax: 0 } }, /eventsMax must be a whole number/],
  ['no list of selectors', { db: { url: URL_OK, select: 'deploys' } }, /sinks\.db\.select must be a list/],
  ['an empty list of selectors', { db: { url: URL_OK, select: [] } }, /leave it out/],
  ['a selector', { db: { url: URL_OK, select: ['a', '{b}'] } }, /sinks\.db\.select\[1\] has .* where =/],
  ['a long selector', { db: { url: URL_OK, select: ['a'.repeat(2_001)] } }, /limit is 2000/],
  ['too many selectors', { db: { url: URL_OK, select: Array(101).fill('a') } }, /limit is 100/],
  ['own metrics', { db: { url: URL_OK, ownMetrics: '30s' } }, /ownMetrics must be true, false, or an object/],
  [
    'their interval',
    { db: { url: URL_OK, ownMetrics: { interval: '1ms' } } },
    /ownMetrics\.interval must be/,
  ],
  ['a member of theirs', { db: { url: URL_OK, ownMetrics: { every: '1m' } } }, /unknown member/],
  ['a missing secret', { db: { url: URL_OK, bearerToken: { env: 'NOWHERE' } } }, /missing/],
  [
    'too many',
    Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, { url: URL_OK }])),
    /limit is 20/,
  ],
])('refuses %s, and shows no secret', (_what, sinks, message) => {
  expect(() => read(sinks)).toThrow(message);
  expect(() => read(sinks)).not.toThrow(HIDDEN);
});

test.each([
  { bearerToken: HIDDEN },
  { basicAuth: { username: 'u', password: HIDDEN } },
  { headers: { 'X-Any': HIDDEN } },
  { url: `https://u:${HIDDEN}@h/` },
  { url: `https://h/?key=${HIDDEN}` },
  { tls: { password: HIDDEN } },
  { bearer: HIDDEN },
])('--print-config shows nothing of %j', (sink) => {
  const loaded = load({ db: sink }, ['--print-config']);
  const text = loaded.action === 'print-config' ? printConfig(loaded) : '';
  expect(text).toContain('***');
  expect(text).not.toContain(HIDDEN);
});

test('--print-config shows where a sink is', () => {
  const loaded = load({ db: { url: URL_OK } }, ['--print-config']);
  expect(loaded.action === 'print-config' && printConfig(loaded)).toContain(URL_OK);
});

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/operate/push.md'), 'utf8');
const BLOCKS = Array.from(PAGE.matchAll(/^```json\n([\s\S]*?)^```/gm), ([, block = '']) => block);

test.each(BLOCKS)('%#: the page about sinks has configurations that are right', (block) => {
  const { sinks } = JSON.parse(block) as { sinks: object };
  const readFile = (path: string) => (path === 'config.json' ? block : 'secret');
  const loaded = loadSettings({ argv: [], env: {}, readFile });
  if (loaded.action !== 'run') throw new Error('no settings');
  expect(sinkOptions(loaded.settings).map(({ name }) => name)).toEqual(Object.keys(sinks));
});

test('the page about sinks tells of each member', () => {
  expect(BLOCKS.length).toBeGreaterThan(3);
  const named = Array.from(PAGE.matchAll(/^\| `(\w+)` +\|/gm), ([, name = '']) => name);
  const message = (() => {
    try {
      read({ db: { url: URL_OK, nothing: 1 } });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  })();
  const members = /it can have (.*)$/.exec(message)?.[1]?.split(', ') ?? [];
  expect(members.length).toBeGreaterThan(10);
  expect(named).toEqual(members.toSorted((a, b) => named.indexOf(a) - named.indexOf(b)));
});
