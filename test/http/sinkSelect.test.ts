import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const serverFor = (
  { url }: { readonly url: string },
  sink: Readonly<Record<string, unknown>> = { select: ['{type=~"deploy|release"}'] },
  settings: Partial<Settings> = {},
) => startServer({ sinks: { db: { url, ...sink } }, 'server.stopTimeout': 1_000, ...settings });

/** Posts as many events as there are letters, each of a type: a deploy, or a test. */
const post = async ({ url }: RunningServer, kinds: string, query = '', from = 0) => {
  const body = Array.from(
    kinds,
    (kind, i) =>
      `{"labels":{"type":"${kind === 'd' ? 'deploy' : 'test'}","n":"${from + i}"},"id":"${kind}${from + i}"}\n`,
  );
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const answer = await fetch(`${url}/event${query}`, { method: 'POST', body: body.join(''), headers });
  return { status: answer.status, ...((await answer.json()) as object) };
};
const pending = async ({ url }: RunningServer) => {
  const answer = await fetch(`${url}/api/v1/scrapers`);
  const { scrapers } = (await answer.json()) as { scrapers: { id: string; pending: number }[] };
  return scrapers.find(({ id }) => id === 'sink:db')?.pending;
};
const settled = async (server: RunningServer) => {
  await expect.poll(() => pending(server), { timeout: 20_000 }).toBe(0);
};
const metrics = async ({ url }: RunningServer) => (await fetch(`${url}/metrics?peek=true`)).text();
const fate = async ({ url }: RunningServer, id: string) => {
  const answer = (await (await fetch(`${url}/api/v1/events/${id}`)).json()) as {
    scrapers: { id: string; state: string }[];
  };
  return answer.scrapers.find((scraper) => scraper.id === 'sink:db');
};

describe('a sink that selects', () => {
  it('G2: gets what it selects once, in order, and passes over the rest, which is counted', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(receiver);
    await post(server, 'dttdtd');
    await post(server, 'ttt', '', 6);
    await settled(server);
    await post(server, 'dt'.repeat(3_000), '', 9);
    await settled(server);
    expect(receiver.stored.map(({ labels }) => Number(labels['n']))).toEqual([
      0,
      3,
      5,
      ...Array.from({ length: 3_000 }, (_, i) => 9 + 2 * i),
    ]);
    const shown = await metrics(server);
    expect(shown).toContain('events_to_metrics_sink_not_selected_total{sink="db"} 3006\n');
    expect(shown).toMatch(/deliveries_total\{outcome="confirmed"\} 3003\n/);
    expect(shown).toMatch(/dropped_total\{reason="refused"\} 0\n/);
  });

  it('is told truly in receipts, before it comes there and after', async () => {
    let isAway = true;
    await using receiver = await RemoteWriteReceiver.start((call) =>
      isAway ? call.answer(503) : call.store(),
    );
    await using server = await serverFor(receiver);
    await post(server, 'dt');
    await expect.poll(() => fate(server, 'd0')).toMatchObject({ state: 'onItsWay' });
    const left = { state: 'notSelected', message: expect.stringContaining('select') as string };
    expect(await fate(server, 't1')).toMatchObject(left);
    isAway = false;
    await settled(server);
    expect(await fate(server, 'd0')).toMatchObject({ state: 'delivered' });
    expect(await fate(server, 't1')).toMatchObject(left);
  });

  it('is not waited for, for what it leaves out, unless it is named; then the answer comes at once', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(
      receiver,
      { select: ['{type="deploy"}'] },
      { sinks: { db: { url: receiver.url, select: ['{type="deploy"}'] }, all: { url: receiver.url } } },
    );
    const wait = '?wait=delivered&timeout=20s';
    expect(await post(server, 't', wait)).toMatchObject({
      status: 200,
      delivered: true,
      scrapers: [{ id: 'sink:all', state: 'delivered' }],
    });
    expect(await post(server, 't', `${wait}&to=db`, 1)).toMatchObject({
      status: 202,
      ended: 'settled',
      scrapers: [{ id: 'sink:db', state: 'notSelected' }],
    });
    const counts = { delivered: 2, notSelected: 3 };
    expect(await post(server, 'tdtdt', `${wait}&to=db`, 2)).toMatchObject({
      status: 200,
      scrapers: [{ id: 'sink:db', state: 'delivered', counts }],
    });
    expect(await post(server, 'dt', wait, 7)).toMatchObject({
      status: 200,
      scrapers: [
        { id: 'sink:db', state: 'delivered', counts: { delivered: 1, notSelected: 1 } },
        { id: 'sink:all', counts: { delivered: 2 } },
      ],
    });
  });

  it('is not the only one that a wait is over for', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(receiver);
    expect(await post(server, 't', '?wait=delivered&timeout=300ms')).toMatchObject({
      status: 202,
      ended: 'timeout',
      scrapers: [],
    });
  });

  it('G3: drops what its receiver refuses alone, and nothing else', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.samples.some(({ labels }) => labels['n'] === '40') ? call.answer(400, 'bad') : call.store(),
    );
    await using server = await serverFor(receiver);
    await post(server, 'dt'.repeat(50));
    await settled(server);
    expect(receiver.values('n')).toHaveLength(49);
    const shown = await metrics(server);
    expect(shown).toContain('events_to_metrics_sink_not_selected_total{sink="db"} 50\n');
    expect(shown).toContain('events_to_metrics_sink_refused_total{code="400",sink="db"} 1\n');
    expect(await fate(server, 'd40')).toMatchObject({ state: 'dropped', reason: 'refused' });
  });

  it('that selects something else after a restart does not tell of before what it does not know', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    using folder = temporaryFolder();
    const settings = { 'store.kind': 'sqlite', 'store.path': folder.path } as const;
    {
      await using server = await serverFor(receiver, { select: ['{type="deploy"}'] }, settings);
      await post(server, 'dt');
      await settled(server);
    }
    {
      await using server = await serverFor(receiver, { select: ['{type="deploy"}'] }, settings);
      expect(await fate(server, 'd0')).toMatchObject({ state: 'delivered' });
      expect(await fate(server, 't1')).toMatchObject({ state: 'notSelected' });
    }
    {
      await using server = await serverFor(receiver, {}, settings);
      expect([await fate(server, 'd0'), await fate(server, 't1')]).toMatchObject([
        { state: 'unknown' },
        { state: 'unknown' },
      ]);
      await post(server, 'dt', '', 2);
      await settled(server);
      expect([await fate(server, 'd2'), await fate(server, 't3')]).toMatchObject([
        { state: 'delivered' },
        { state: 'delivered' },
      ]);
    }
    await using server = await serverFor(receiver, { select: ['{type="test"}'] }, settings);
    expect([await fate(server, 'd2'), await fate(server, 't3')]).toMatchObject([
      { state: 'delivered' },
      { state: 'delivered' },
    ]);
    expect(receiver.values('n')).toEqual(['0', '2', '3']);
  });
});
