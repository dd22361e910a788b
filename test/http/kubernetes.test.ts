import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiServer } from '../../src/kubernetes/apiServer.ts';
import { PodDirectory } from '../../src/kubernetes/podDirectory.ts';
import { PodWatch } from '../../src/kubernetes/podWatch.ts';
import { FakeKubernetes, aPod } from '../support/fakeKubernetes.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** A watch of a fake API server, with what it complained of. */
async function watching(kubernetes: FakeKubernetes, token = kubernetes.token) {
  const folder = temporaryFolder();
  const tokenFile = join(folder.path, 'token');
  writeFileSync(tokenFile, `${token}\n`);
  const directory = new PodDirectory();
  const troubles: string[] = [];
  const url = `http://127.0.0.1:${kubernetes.port}`;
  const api = new ApiServer({ url, tokenFile, caFile: '' });
  const watch = new PodWatch(api, '', directory, (error) => troubles.push(error.message));
  watch.start();
  return {
    directory,
    watch,
    troubles,
    tokenFile,
    nameAt: (ip: string) => directory.at(ip)?.lasting,
    [Symbol.asyncDispose]: async () => {
      await watch[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const SOON = { timeout: 10_000, interval: 10 };

describe('a watch of pods', () => {
  test('lists them page by page, then follows what changes', async () => {
    await using kubernetes = new FakeKubernetes();
    await kubernetes.start();
    for (let i = 0; i < 5; i += 1) kubernetes.put(aPod(`p-${i}`, `10.0.0.${i}`));
    await using watch = await watching(kubernetes);
    await expect.poll(() => watch.directory.size, SOON).toBe(5);
    expect(watch.watch.isSynced).toBe(true);
    await expect.poll(() => kubernetes.watching, SOON).toBe(1);

    kubernetes.put(aPod('p-9', '10.0.0.9'));
    await expect.poll(() => watch.nameAt('10.0.0.9'), SOON).toBe('monitoring/p-9');
    kubernetes.delete(aPod('p-1', '10.0.0.1'));
    await expect.poll(() => watch.nameAt('10.0.0.1'), SOON).toBeUndefined();
    expect(watch.troubles).toEqual([]);
  });

  test('goes on from where it was when the server ends it, without listing again', async () => {
    await using kubernetes = new FakeKubernetes();
    await kubernetes.start();
    await using watch = await watching(kubernetes);
    await expect.poll(() => kubernetes.watching, SOON).toBe(1);
    kubernetes.bookmark();
    kubernetes.endWatches('end');
    kubernetes.put(aPod('p-0', '10.0.0.1'));
    await expect.poll(() => watch.nameAt('10.0.0.1'), SOON).toBe('monitoring/p-0');
    expect(kubernetes.requests.filter((path) => path.includes('limit='))).toHaveLength(1);
  });

  test.each(['gone', 'cut'] as const)('lists anew when its revision is lost (%s)', async (how) => {
    await using kubernetes = new FakeKubernetes();
    await kubernetes.start();
    kubernetes.put(aPod('old-0', '10.0.0.1'));
    await using watch = await watching(kubernetes);
    await expect.poll(() => kubernetes.watching, SOON).toBe(1);
    kubernetes.endWatches(how);
    kubernetes.delete(aPod('old-0', '10.0.0.1'));
    kubernetes.put(aPod('new-0', '10.0.0.2'));
    await expect.poll(() => watch.nameAt('10.0.0.2'), SOON).toBe('monitoring/new-0');
    expect(watch.nameAt('10.0.0.1')).toBeUndefined();
  });

  test('waits for a server that fails, and says so; tokens are read anew', async () => {
    await using kubernetes = new FakeKubernetes();
    await kubernetes.start();
    kubernetes.put(aPod('p-0', '10.0.0.1'));
    await using watch = await watching(kubernetes, 'expired');
    await expect.poll(() => watch.troubles, SOON).toContain('/api/v1/pods: the API server answered 401');
    expect(watch.watch.isSynced).toBe(false);
    writeFileSync(watch.tokenFile, kubernetes.token);
    await expect.poll(() => watch.nameAt('10.0.0.1'), SOON).toBe('monitoring/p-0');
  });

  test('finds a pod that it has not heard of yet', async () => {
    await using kubernetes = new FakeKubernetes();
    await kubernetes.start();
    await using watch = await watching(kubernetes);
    await expect.poll(() => kubernetes.watching, SOON).toBe(1);
    kubernetes.put(aPod('late-0', '10.0.0.5'), true);
    expect(watch.nameAt('10.0.0.5')).toBeUndefined();
    await watch.watch.find('10.0.0.5');
    expect(watch.nameAt('10.0.0.5')).toBe('monitoring/late-0');
  });
});

describe('scrapers named by their pods', () => {
  const PEMS = join(import.meta.dirname, '../golden/webConfig');
  const pem = (name: string) => readFileSync(join(PEMS, name), 'utf8');

  /** A server that asks a fake API server over TLS, and scrapes of it from any address. */
  async function serverFor(kubernetes: FakeKubernetes, folder: string) {
    writeFileSync(join(folder, 'token'), kubernetes.token);
    const server = await startServer({
      'scrapers.identity': 'kubernetes',
      'kubernetes.url': `https://localhost:${kubernetes.port}`,
      'kubernetes.tokenFile': join(folder, 'token'),
      'kubernetes.caFile': join(PEMS, 'ca.pem'),
      'scrapers.lookback': 0,
    });
    const scrapeFrom = async (ip: string, query = '') => {
      const answer = await fetch(`${server.url}/metrics${query}`, { headers: { 'X-Real-Ip': ip } });
      const events = (await answer.text()).match(/^events_to_metrics\{.*$/gm) ?? [];
      return { status: answer.status, events, retryAfter: answer.headers.get('retry-after') };
    };
    return { server, scrapeFrom };
  }

  const overTls = () =>
    new FakeKubernetes((listener) =>
      createTlsServer({ cert: pem('server.pem'), key: pem('server.key') }, listener),
    );

  test('G2: a pod of a StatefulSet that comes back at another address gets what it has not had, and only that', async () => {
    using folder = temporaryFolder();
    await using kubernetes = overTls();
    await kubernetes.start();
    const before = aPod('prometheus-0', '10.0.0.1');
    kubernetes.put(before);
    const { server, scrapeFrom } = await serverFor(kubernetes, folder.path);
    await using _ = server;
    await expect.poll(async () => (await scrapeFrom('10.0.0.1')).status, SOON).toBe(200);
    await fetch(`${server.url}/event?n=1`, { method: 'POST' });
    expect((await scrapeFrom('10.0.0.1')).events).toHaveLength(1);
    kubernetes.delete(before);
    await fetch(`${server.url}/event?n=2`, { method: 'POST' });
    kubernetes.put(aPod('prometheus-0', '10.0.0.9'), true);
    expect((await scrapeFrom('10.0.0.9')).events).toEqual(['events_to_metrics{n="2"} 1']);
    const { scrapers } = (await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as {
      scrapers: object[];
    };
    expect(scrapers).toMatchObject([
      { id: 'monitoring/prometheus-0', identifiedBy: 'pod', address: '10.0.0.9' },
    ]);
  });

  test('who can not be told yet is asked to come again, and has lost nothing; an id of its own needs no telling', async () => {
    using folder = temporaryFolder();
    await using kubernetes = overTls();
    await kubernetes.start();
    kubernetes.failing = 500;
    const { server, scrapeFrom } = await serverFor(kubernetes, folder.path);
    await using _ = server;
    expect(await scrapeFrom('10.0.0.1')).toMatchObject({ status: 503, retryAfter: '2' });
    expect((await scrapeFrom('10.0.0.1', '?scraper=a')).status).toBe(200);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    await expect.poll(() => server.log.join(''), SOON).toContain('watching pods failed; trying again');
    kubernetes.failing = undefined;
    kubernetes.put(aPod('prometheus-0', '10.0.0.1'));
    await expect.poll(async () => (await scrapeFrom('10.0.0.1')).status, SOON).toBe(200);
    expect(server.log.join('')).not.toContain(kubernetes.token);
  });
});
