import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const PEMS = join(import.meta.dirname, '../golden/webConfig');
const pem = (name: string) => readFileSync(join(PEMS, name), 'utf8');
const CA = pem('ca.pem');
const CLIENT = { ca: CA, cert: pem('client.pem'), key: pem('client.key') };
const STRANGER = { ca: CA, cert: pem('stranger.pem'), key: pem('stranger.key') };

/** A folder with a certificate and a web configuration that uses it, to be changed by a test. */
function folderWith(more = '') {
  const folder = temporaryFolder();
  const file = join(folder.path, 'web.yml');
  const use = (name: 'server' | 'server2') => {
    copyFileSync(join(PEMS, `${name}.pem`), join(folder.path, 'server.pem'));
    copyFileSync(join(PEMS, `${name}.key`), join(folder.path, 'server.key'));
  };
  const write = (lines: string) =>
    writeFileSync(file, `tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n${lines}`);
  copyFileSync(join(PEMS, 'ca.pem'), join(folder.path, 'ca.pem'));
  use('server');
  write(more);
  return { ...folder, file, use, write };
}

const start = (file: string, change: Parameters<typeof startServer>[0] = {}) =>
  startServer({ 'web.config.file': file, ...change });

const numbersIn = (body: string) =>
  [...body.matchAll(/^events_to_metrics\{n="(\d+)"/gm)].map((match) => Number(match[1]));

async function post(server: RunningServer, count: number) {
  const client = await RawClient.connectTls(server.port, { ca: CA });
  for (let n = 0; n < count; n += 1) {
    client.send(request('POST', `/event?n=${n}`, { 'Content-Length': '0' }));
    expect((await client.response()).status).toBe(200);
  }
  client.end();
}

async function scrape(client: RawClient, headers: Record<string, string> = {}) {
  client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '30', ...headers });
  return numbersIn((await client.response()).body);
}

const tls = (server: RunningServer) => RawClient.connectTls(server.port, { ca: CA });

async function seen(server: RunningServer, expected: Record<string, number>) {
  const outcomes = async () => {
    const client = await tls(server);
    client.get('/metrics?peek=true');
    const { body } = await client.response();
    client.end();
    const found = [...body.matchAll(/deliveries_total\{outcome="(\w+)"\} (\d+)/g)];
    return Object.fromEntries(
      found.map(([, outcome, count]) => [outcome, Number(count)]).filter(([, count]) => count !== 0),
    );
  };
  await expect.poll(outcomes, { timeout: 5_000, interval: 20 }).toEqual(expected);
}

const certificateOf = (client: RawClient) => (client.socket as TLSSocket).getPeerX509Certificate()?.subject;

/** Whether a client with these options gets an answer. A policy may end the connection after its handshake. */
async function isAnswered(server: RunningServer, options: Parameters<typeof RawClient.connectTls>[1]) {
  try {
    const client = await RawClient.connectTls(server.port, options);
    client.get('/healthz');
    return (await client.response()).status === 200;
  } catch {
    return false;
  }
}

describe('over TLS, what is seen of a response settles it (G2, G3)', () => {
  it('the next request on the same socket is proof', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    await post(server, 3);
    const client = await tls(server);
    expect(await scrape(client)).toEqual([0, 1, 2]);
    expect(await scrape(client)).toEqual([]);
    await seen(server, { confirmed: 3 });
  });

  it('a clean end counts as delivered, unproven, by the client or asked for by Connection: close', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    await post(server, 3);
    const first = await tls(server);
    await scrape(first);
    first.end();
    await seen(server, { unproven: 3 });
    await post(server, 2);
    await scrape(await tls(server), { Connection: 'close' });
    await seen(server, { unproven: 5 });
  });

  it('an end at the announced scrape timeout is doubtful: the events come again', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    await post(server, 3);
    const client = await tls(server);
    await scrape(client, { 'X-Prometheus-Scrape-Timeout-Seconds': '0.4' });
    await sleep(400);
    client.end();
    await seen(server, { doubtful: 3 });
    expect(await scrape(await tls(server))).toHaveLength(3);
  });

  it('a reset is taken to mean that it was not read, and is doubtful: the events come again', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    await post(server, 3);
    const client = await tls(server);
    client.get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '30' });
    await client.bytes(100);
    client.reset();
    await seen(server, { doubtful: 3 });
    expect(await scrape(await tls(server))).toHaveLength(3);
  });

  it('a lease that ends while a response is still being sent cuts it, and the events come again', async () => {
    using folder = folderWith();
    await using server = await start(folder.file, {
      'scrape.lease': 2_000,
      'event.labelValueMax': 16_000,
      'event.seriesMax': 16_383,
    });
    const poster = await tls(server);
    for (let n = 0; n < 450; n += 1) {
      const body = `n=${n}&v=${'x'.repeat(16_000)}`;
      poster.send(
        request('POST', '/event', {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': String(body.length),
        }) + body,
      );
      await poster.response();
    }
    poster.end();
    const stuck = await tls(server);
    stuck.socket.pause();
    stuck.get('/metrics');
    await sleep(4_000);
    stuck.socket.resume();
    await expect(stuck.response()).rejects.toThrow('the connection ended');
    const next = await tls(server);
    const got = [...(await scrape(next)), ...(await scrape(next)), ...(await scrape(next))];
    expect(new Set(got).size).toBe(450);
  });

  it('a graceful stop takes the ends of idle connections for evidence', async () => {
    using folder = folderWith();
    const server = await start(folder.file);
    await post(server, 3);
    const client = await tls(server);
    await scrape(client);
    client.socket.on('end', () => client.end());
    const started = Date.now();
    await server[Symbol.asyncDispose]();
    expect(Date.now() - started).toBeLessThan(1_500);
  });
});

it('the page shows how to post over TLS', async () => {
  using folder = folderWith();
  await using server = await start(folder.file);
  const client = await tls(server);
  client.get('/', { Accept: 'text/html' });
  expect((await client.response()).body).toContain("curl -X POST 'https://test/event?");
});

describe('certificates', () => {
  it('are read again: new connections get the new one, open ones go on', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    const old = await tls(server);
    expect(certificateOf(old)).toBe('CN=first');
    folder.use('server2');
    await server.access.check();
    expect(certificateOf(await tls(server))).toBe('CN=second');
    old.get('/healthz');
    expect((await old.response()).status).toBe(200);
  });

  it('are looked after every second without being asked', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    folder.use('server2');
    await expect
      .poll(async () => certificateOf(await tls(server)), { timeout: 5_000, interval: 200 })
      .toBe('CN=second');
  });

  it('that do not fit their key are not taken, which is logged once; the old one stays', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    copyFileSync(join(PEMS, 'server2.pem'), join(folder.path, 'server.pem'));
    await server.access.check();
    await server.access.check();
    expect(certificateOf(await tls(server))).toBe('CN=first');
    const lines = server.log.filter((line) => line.includes('change not applied'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('key values mismatch');
    copyFileSync(join(PEMS, 'server2.key'), join(folder.path, 'server.key'));
    await server.access.check();
    expect(certificateOf(await tls(server))).toBe('CN=second');
  });

  it('can not vanish: TLS stays on until a restart, whatever the file says', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    writeFileSync(folder.file, '');
    await server.access.check();
    expect(await isAnswered(server, { ca: CA })).toBe(true);
    expect(server.log.join('')).toContain("TLS can't be turned off");
  });
});

describe('clients', () => {
  const CA_FILE = '  client_ca_file: ca.pem\n';
  it.each([
    ['NoClientCert', '', { none: true, known: true, stranger: true }],
    ['RequestClientCert', CA_FILE, { none: true, known: true, stranger: true }],
    ['RequireAnyClientCert', CA_FILE, { none: false, known: true, stranger: true }],
    ['VerifyClientCertIfGiven', CA_FILE, { none: true, known: true, stranger: false }],
    ['RequireAndVerifyClientCert', CA_FILE, { none: false, known: true, stranger: false }],
  ])('%s admits whom it says', async (type, ca, expected) => {
    using folder = folderWith(`  client_auth_type: ${type}\n${ca}`);
    await using server = await start(folder.file);
    expect({
      none: await isAnswered(server, { ca: CA }),
      known: await isAnswered(server, CLIENT),
      stranger: await isAnswered(server, STRANGER),
    }).toEqual(expected);
  });

  it('need one of the allowed names', async () => {
    const verified = `  client_auth_type: RequireAndVerifyClientCert\n${CA_FILE}`;
    using folder = folderWith(`${verified}  client_allowed_sans: [other.test]\n`);
    await using server = await start(folder.file);
    expect(await isAnswered(server, CLIENT)).toBe(false);
    for (const name of ['one.test', '"::1"', 'a@test', 'spiffe://test/x']) {
      folder.write(`${verified}  client_allowed_sans: [other.test, ${name}]\n`);
      await server.access.check();
      expect(await isAnswered(server, CLIENT), name).toBe(true);
    }
  });

  it('are asked for a certificate as soon as the file says so, and a session from before does not help', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    const before = await RawClient.connectTls(server.port, { ca: CA, maxVersion: 'TLSv1.2' });
    const session = (before.socket as TLSSocket).getSession();
    if (session === undefined) throw new Error('no session');
    expect(await isAnswered(server, { ca: CA, session, maxVersion: 'TLSv1.2' })).toBe(true);
    folder.write(`  client_auth_type: RequireAndVerifyClientCert\n${CA_FILE}`);
    await server.access.check();
    expect(await isAnswered(server, { ca: CA, session, maxVersion: 'TLSv1.2' })).toBe(false);
    expect(await isAnswered(server, { ca: CA })).toBe(false);
    expect(await isAnswered(server, CLIENT)).toBe(true);
  });

  it('who verified themselves may resume their session', async () => {
    using folder = folderWith(
      `  client_auth_type: RequireAndVerifyClientCert\n${CA_FILE}  client_allowed_sans: [one.test]\n`,
    );
    await using server = await start(folder.file);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await RawClient.connectTls(server.port, { ...CLIENT, maxVersion });
      const sessions: Buffer[] = [];
      first.socket.on('session', (session: Buffer) => sessions.push(session));
      first.get('/healthz');
      expect((await first.response()).status).toBe(200);
      const session = sessions[0] ?? (first.socket as TLSSocket).getSession();
      if (session === undefined) throw new Error('no session');
      const again = await RawClient.connectTls(server.port, { ...CLIENT, maxVersion, session });
      expect((again.socket as TLSSocket).isSessionReused()).toBe(true);
      again.get('/healthz');
      expect((await again.response()).status, maxVersion).toBe(200);
    }
  });

  it('get the versions and the suites that the file names, and HTTP/1.1 only', async () => {
    using folder = folderWith(
      '  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n',
    );
    await using server = await start(folder.file);
    expect(await isAnswered(server, { ca: CA, minVersion: 'TLSv1.3' })).toBe(false);
    const client = await RawClient.connectTls(server.port, { ca: CA, ALPNProtocols: ['h2', 'http/1.1'] });
    const socket = client.socket as TLSSocket;
    expect(socket.alpnProtocol).toBe('http/1.1');
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
    folder.write('  min_version: TLS13\n  curve_preferences: [CurveP521]\n');
    await server.access.check();
    expect(await isAnswered(server, { ca: CA, maxVersion: 'TLSv1.2' })).toBe(false);
    expect(await isAnswered(server, { ca: CA, ecdhCurve: 'X25519' })).toBe(false);
    expect(await isAnswered(server, { ca: CA, ecdhCurve: 'P-521' })).toBe(true);
  });
});

describe('what is no TLS', () => {
  it('ends the connection, and the server goes on', async () => {
    using folder = folderWith();
    await using server = await start(folder.file);
    for (const sent of [
      'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
      '\x16\x03\x01\xff\xff',
      '\0'.repeat(5_000),
    ]) {
      const client = await RawClient.connect(server.port);
      client.send(Buffer.from(sent, 'latin1'));
      client.end();
      await expect(client.response()).rejects.toThrow('the connection ended');
    }
    expect(await isAnswered(server, { ca: CA })).toBe(true);
  });

  it('and handshakes that never finish are cut after server.headTimeout', async () => {
    using folder = folderWith();
    await using server = await start(folder.file, { 'server.headTimeout': 400 });
    const started = performance.now();
    const silent = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => silent.once('close', resolve));
    expect(performance.now() - started).toBeGreaterThan(350);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(await isAnswered(server, { ca: CA })).toBe(true);
  });

  it('a head that comes too slowly is cut with a 408, over TLS, too', async () => {
    using folder = folderWith();
    await using server = await start(folder.file, { 'server.headTimeout': 400 });
    const client = await tls(server);
    client.send('GET /metrics HTTP/1.1\r\n');
    expect((await client.response()).status).toBe(408);
  });
});

describe('places and progress', () => {
  it('are shared as without TLS: what idles, and what never finishes its handshake, gives way', async () => {
    using folder = folderWith();
    let elapsed = 1_000;
    const settings = { 'web.config.file': folder.file, 'server.connectionsPerClientMax': 3 };
    await using server = await startServer(settings, undefined, () => elapsed);
    const silent = Array.from({ length: 3 }, () =>
      connect(server.port, '127.0.0.1').on('error', () => undefined),
    );
    const closed = Promise.all(
      silent.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await sleep(300);
    elapsed += 3_000;
    const clients: RawClient[] = [];
    for (let n = 0; n < 5; n += 1) {
      const client = await tls(server);
      client.send(request('POST', `/event?n=${n}`, { 'Content-Length': '0' }));
      expect((await client.response()).status).toBe(200);
      clients.push(client);
    }
    await closed;
    for (const client of clients.slice(0, 2))
      await expect(client.response()).rejects.toThrow('the connection ended');
    for (const client of clients.slice(2)) {
      client.get('/healthz');
      expect((await client.response()).status).toBe(200);
    }
    const reader = await tls(server);
    reader.get('/metrics');
    const { body } = await reader.response();
    expect(body).toContain('events_to_metrics_connections 3\n');
    expect(body).toMatch(/connections_closed_total\{reason="client_max"\} 6\n/);
  });

  it('and a newcomer for which there is no place is closed, where all others are busy', async () => {
    using folder = folderWith();
    await using server = await start(folder.file, { 'server.connectionsPerClientMax': 1 });
    const busy = await tls(server);
    const head = { 'Content-Type': 'application/json', 'Content-Length': '2', Expect: '100-continue' };
    busy.send(request('POST', '/event', head));
    await busy.bytes(20);
    await expect(tls(server)).rejects.toThrow(/ended|reset|disconnected|hang up/i);
    busy.send('{}');
    expect((await busy.response()).status).toBe(100);
    expect((await busy.response()).status).toBe(200);
  });

  it('an answer that nobody reads is cut after 30 s; one that is read slowly is not', async () => {
    using folder = folderWith();
    let elapsed = 1_000;
    const settings = {
      'web.config.file': folder.file,
      'scrape.bytesMax': 16 << 20,
      'event.labelValueMax': 4096,
    };
    await using server = await startServer(settings, undefined, () => elapsed);
    const poster = await tls(server);
    const body = `{"labels":{"v":"${'x'.repeat(4_000)}"}}\n`.repeat(2_500);
    poster.send(request('POST', '/event', { 'Content-Type': 'application/x-ndjson' }, body));
    expect((await poster.response()).status).toBe(200);
    const [idle, slow] = [await tls(server), await tls(server)];
    for (const client of [idle, slow]) {
      client.get('/metrics?peek=true&timestamps=explicit');
      client.socket.pause();
    }
    const isCut = () => server.log.some((line) => line.includes('"reason":"stalled"'));
    for (let n = 1; n <= 60 && !isCut(); n += 1) {
      slow.socket.resume();
      await slow.bytes(n * 150_000);
      slow.socket.pause();
      await sleep(300);
      elapsed += 2_000;
    }
    expect(isCut()).toBe(true);
    slow.socket.resume();
    expect((await slow.response()).status).toBe(200);
    idle.socket.resume();
    await expect(idle.response()).rejects.toThrow('the connection ended');
  });
});
