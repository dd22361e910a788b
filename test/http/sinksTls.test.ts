import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const PEMS = join(import.meta.dirname, '../golden/webConfig');
const path = (name: string) => join(PEMS, name);
const TLS = { cert: readFileSync(path('server.pem')), key: readFileSync(path('server.key')) };
const MUTUAL = { ...TLS, ca: readFileSync(path('ca.pem')), requestCert: true, rejectUnauthorized: true };
const CLIENT = { caFile: path('ca.pem'), certFile: path('client.pem'), keyFile: path('client.key') };

/** What came of one event that a sink is sent: how often a receiver stored it, and what the server said of the sink. */
async function sent(receiver: RemoteWriteReceiver, sink: Readonly<Record<string, unknown>>) {
  const sinks = { db: { url: receiver.url, ...sink } };
  await using server = await startServer({ sinks, 'server.stopTimeout': 500 });
  await fetch(`${server.url}/event?n=1`, { method: 'POST' });
  const status = async () => {
    const answer = (await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as {
      scrapers: { pending: number; sink: { failing?: { why: string } } }[];
    };
    const [shown] = answer.scrapers;
    return { pending: shown?.pending, why: shown?.sink.failing?.why };
  };
  await expect
    .poll(async () => (await status()).pending === 0 || (await status()).why !== undefined)
    .toBe(true);
  return { ...(await status()), log: server.log.join('') };
}

describe('a sink behind TLS', () => {
  it('is sent events if its certificate is signed by the CA, and a client certificate if it wants one', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.store(), MUTUAL);
    // This one takes nobody without.
    expect(await sent(receiver, { tls: CLIENT })).toMatchObject({ pending: 0 });
  });

  it.each<[what: string, tls: Readonly<Record<string, unknown>>, why: RegExp]>([
    ['its certificate is signed by nobody known', {}, /certificate.*; set tls\.caFile/],
    [
      'its certificate has another name',
      { ...CLIENT, serverName: 'other.example' },
      /other\.example.*; correct the url, or set tls\.serverName/,
    ],
    [
      'it is shown no client certificate',
      { caFile: path('ca.pem') },
      /^TLS failed: .*; .* set tls\.certFile and tls\.keyFile/,
    ],
    ['the CA file is missing', { caFile: '/nowhere/ca.pem' }, /ENOENT.*\/nowhere\/ca\.pem/],
  ])('is sent nothing if %s', async (_what, tls, why) => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.store(), MUTUAL);
    const outcome = await sent(receiver, { tls });
    expect(outcome.pending).toBe(1);
    expect(outcome.why).toMatch(why);
    expect(receiver.calls).toHaveLength(0);
  });

  it('is told from one that speaks http', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    const outcome = await sent(receiver, { url: receiver.url.replace('http:', 'https:') });
    expect(outcome.why).toBe(
      'TLS failed: wrong version number; if the receiver speaks http, begin the url with http:',
    );
  });

  it('is sent events whatever its certificate, with insecureSkipVerify', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.store(), TLS);
    expect(await sent(receiver, { tls: { insecureSkipVerify: true } })).toMatchObject({ pending: 0 });
  });

  it('is shown the files as they are at its next try', async () => {
    using folder = temporaryFolder();
    const caFile = join(folder.path, 'ca.pem');
    writeFileSync(caFile, 'not yet');
    await using receiver = await RemoteWriteReceiver.start((call) => call.store(), TLS);
    await using server = await startServer({
      sinks: { db: { url: receiver.url, tls: { caFile } } },
      'server.stopTimeout': 500,
    });
    await fetch(`${server.url}/event?n=1`, { method: 'POST' });
    await expect.poll(() => server.log.join('')).toContain('the sink takes nothing');
    copyFileSync(path('ca.pem'), caFile);
    await expect.poll(() => receiver.stored.length).toBe(1);
  });
});

describe("a sink's credentials", () => {
  it.each<[what: string, sink: Readonly<Record<string, unknown>>, header: string]>([
    ['a token', { bearerToken: 'hunter2' }, 'Bearer hunter2'],
    [
      'a password',
      { basicAuth: { username: 'u', password: 'hunter2' } },
      `Basic ${Buffer.from('u:hunter2').toString('base64')}`,
    ],
  ])('are sent: %s, and never shown, not even where the receiver says them', async (_what, sink, header) => {
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.answer(401, `who is ${call.headers.authorization}, hunter2?`),
    );
    const { why, log } = await sent(receiver, sink);
    expect(receiver.calls[0]?.headers.authorization).toBe(header);
    expect(why).toMatch(/^401: who is \w+ \*\*\*, \*\*\*\?$/);
    expect(log).not.toContain('hunter2');
  });

  it('are read from a file for each request', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'token');
    writeFileSync(file, 'first\n');
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.headers.authorization === 'Bearer second' ? call.store() : call.answer(401),
    );
    await using server = await startServer({
      sinks: { db: { url: receiver.url, bearerTokenFile: file } },
      'server.stopTimeout': 500,
    });
    await fetch(`${server.url}/event?n=1`, { method: 'POST' });
    await expect.poll(() => receiver.calls.length).toBeGreaterThan(0);
    writeFileSync(file, 'second\n');
    await expect.poll(() => receiver.stored.length).toBe(1);
  });
});
