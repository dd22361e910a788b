import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../test/support/server.ts';
import { loadSettings } from '../config/load.ts';
import { checkSinks } from './sinkChecks.ts';

const PEMS = join(import.meta.dirname, '../../test/golden/webConfig');
const pem = (name: string) => join(PEMS, name);
const URL_OK = 'https://db.example/api/v1/write';
const CLIENT = { certFile: pem('client.pem'), keyFile: pem('client.key') };

const check = async (sink: Readonly<Record<string, unknown>>) => {
  const config = JSON.stringify({ sinks: { db: { url: URL_OK, ...sink } } });
  const readFile = (path: string) => (path === 'config.json' ? config : undefined);
  const loaded = loadSettings({ argv: [], env: {}, readFile });
  if (loaded.action !== 'run') throw new Error('no settings');
  await checkSinks(loaded.settings);
};

it('files of a sink that are what they should be are fine', async () => {
  using folder = temporaryFolder();
  const token = join(folder.path, 'token');
  writeFileSync(token, 'abc\n');
  const bundle = join(folder.path, 'bundle.pem');
  writeFileSync(bundle, `# two\n${readFileSync(pem('ca.pem'), 'utf8').repeat(2)}`);
  await check({ tls: { caFile: bundle, ...CLIENT }, bearerTokenFile: token, select: ['{a=~"b"}'] });
});

const FOLDER = temporaryFolder();
afterAll(() => FOLDER[Symbol.dispose]());
const file = (name: string, text: string) => {
  const path = join(FOLDER.path, name);
  writeFileSync(path, text);
  return path;
};
const BROKEN = `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;

test.each<[what: string, sink: Readonly<Record<string, unknown>>, message: RegExp]>([
  [
    'a CA that is missing',
    { tls: { caFile: '/nowhere/ca.pem' } },
    /^sinks\.db\.tls\.caFile: can't read "\/nowhere\/ca\.pem": ENOENT/,
  ],
  ['a CA that is a folder', { tls: { caFile: FOLDER.path } }, /^sinks\.db\.tls\.caFile: can't read .*EISDIR/],
  [
    'a CA that is no PEM',
    { tls: { caFile: file('x', 'no') } },
    /^sinks\.db\.tls\.caFile: .* no certificate in PEM/,
  ],
  [
    'a CA that is broken',
    { tls: { caFile: file('y', BROKEN) } },
    /^sinks\.db\.tls\.caFile: certificate 1 of/,
  ],
  ['a key in place of a CA', { tls: { caFile: pem('client.key') } }, /no certificate/],
  [
    'a missing certificate',
    { tls: { ...CLIENT, certFile: '/nowhere' } },
    /^sinks\.db\.tls\.certFile: can't read/,
  ],
  ['a missing key', { tls: { ...CLIENT, keyFile: '/nowhere' } }, /^sinks\.db\.tls\.keyFile: can't read/],
  [
    'a certificate as the key',
    { tls: { ...CLIENT, keyFile: pem('client.pem') } },
    /keyFile: .*no private key/,
  ],
  [
    'a key of another',
    { tls: { ...CLIENT, keyFile: pem('server.key') } },
    /keyFile: .*doesn't go with certFile/,
  ],
  ['a missing token', { bearerTokenFile: '/nowhere' }, /^sinks\.db\.bearerTokenFile: can't read/],
  ['an empty token', { bearerTokenFile: file('e', '\n') }, /bearerTokenFile: .* is empty/],
  ['a token of two lines', { bearerTokenFile: file('t', 'hunter2\nx') }, /more than a token/],
  ['an expression', { select: ['{a="b"}', '{a=~"("}'] }, /^sinks\.db\.select\[1\]: a: .*missing closing/],
])('%s is refused with its field, and shown as no secret', async (_what, sink, message) => {
  await expect(check(sink)).rejects.toThrow(message);
  await expect(check(sink)).rejects.not.toThrow(/hunter2/);
});
