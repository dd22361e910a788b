import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** A server with one sink, `db`, at a receiver. */
const serverFor = (
  receiver: { readonly url: string },
  sink: Readonly<Record<string, unknown>> = {},
  settings: Partial<Settings> = {},
) => startServer({ sinks: { db: { url: receiver.url, ...sink } }, 'server.stopTimeout': 1_000, ...settings });

const post = async (server: RunningServer, from: number, upTo: number, more = '') => {
  const lines = Array.from({ length: upTo - from }, (_, i) => `{"labels":{"n":"${from + i}"}${more}}\n`).join(
    '',
  );
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const answer = await fetch(`${server.url}/event`, { method: 'POST', body: lines, headers });
  expect(answer.status).toBe(200);
};
const numbers = (from: number, upTo: number) =>
  Array.from({ length: upTo - from }, (_, i) => String(from + i));

interface Shown {
  readonly id: string;
  readonly identifiedBy: string;
  readonly pending: number;
  readonly sink?: {
    readonly protocol: string;
    readonly failing?: { readonly why: string };
    readonly refused: number;
    readonly refusals: readonly { readonly series: string; readonly why: string }[];
  };
  readonly warnings: readonly { readonly code: string }[];
}
const shown = async (server: RunningServer): Promise<Shown> => {
  const answer = (await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as { scrapers: Shown[] };
  const found = answer.scrapers.find(({ id }) => id === 'sink:db');
  if (found === undefined) throw new Error('there is no sink');
  return found;
};
const metrics = async (server: RunningServer) => (await fetch(`${server.url}/metrics?peek=true`)).text();
const settled = async (server: RunningServer): Promise<void> => {
  await expect.poll(async () => (await shown(server)).pending, { timeout: 20_000 }).toBe(0);
};

describe('a sink', () => {
  it('G2: gets each event once, at its own time, with its labels, by remote write 2.0', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(receiver, {
      labels: { cluster: 'a', n: 'never' },
      headers: { 'X-Scope-OrgID': 't' },
    });
    const at = Date.now() - 60_000;
    await post(server, 0, 3, `,"value":7,"timestamp":${at}`);
    await settled(server);
    expect(receiver.stored.map(({ labels, value, at: time }) => ({ labels, value, time }))).toEqual(
      numbers(0, 3).map((n) => ({
        labels: { __name__: 'events_to_metrics', cluster: 'a', n },
        value: 7,
        time: at,
      })),
    );
    expect(receiver.calls[0]?.headers).toMatchObject({
      'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '2.0.0',
      'user-agent': 'oneShotMetricsServer/test',
      'x-scope-orgid': 't',
    });
  });

  it('G8: gets the end of a pulse as a stale marker', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(receiver, {}, { 'pulse.width': 1_000 });
    await post(server, 0, 1);
    await expect.poll(() => receiver.stored.length, { timeout: 10_000 }).toBe(2);
    const [event, end] = receiver.stored;
    expect(end).toMatchObject({ bits: 0x7ff0_0000_0000_0002n, at: (event?.at ?? 0) + 1_000 });
  });

  it('falls back to 1.0 where 2.0 is answered with 415, and remembers it', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.isSecond ? call.answer(415) : call.store(),
    );
    await using server = await serverFor(receiver);
    await post(server, 0, 2);
    await settled(server);
    await post(server, 2, 3);
    await settled(server);
    expect(receiver.values('n')).toEqual(numbers(0, 3));
    expect(receiver.calls.map(({ isSecond }) => isSecond)).toEqual([true, false, false]);
    expect((await shown(server)).sink?.protocol).toBe('1.0');
  });

  it('takes a success without the Written headers for one of a receiver that has read nothing', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    receiver.isBlind = true;
    await using server = await serverFor(receiver);
    await post(server, 0, 2);
    await settled(server);
    expect(receiver.values('n')).toEqual(numbers(0, 2));
    expect(receiver.stored).toHaveLength(2);
  });

  it('G3: sends the same again, in order, through a storm of 429 and 5xx, and waits as long as it is asked to', async () => {
    const times: number[] = [];
    await using receiver = await RemoteWriteReceiver.start((call) => {
      times.push(performance.now());
      if (call.number === 0) call.answer(429, 'slow down', { 'Retry-After': '1' });
      else if (call.number < 4) call.answer([500, 503, 429][call.number - 1] ?? 500);
      else call.store();
    });
    await using server = await serverFor(receiver);
    await post(server, 0, 10);
    await expect.poll(async () => (await shown(server)).sink?.failing?.why).toContain('429: slow down');
    await settled(server);
    expect(receiver.stored.map(({ labels }) => labels['n'])).toEqual(numbers(0, 10));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(990);
    expect((await shown(server)).sink?.failing).toBeUndefined();
    expect(await metrics(server)).toContain(
      'events_to_metrics_sink_requests_total{code="429",sink="db"} 2\n',
    );
  });

  it('G2, G3: loses nothing to a receiver that stores and then answers 500, cuts, or answers garbage', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => {
      if (call.number === 0) {
        call.keep();
        call.answer(500);
      } else if (call.number === 1) {
        call.keep();
        call.socket.resetAndDestroy();
      } else if (call.number === 2) call.socket.end('HTTP/1.1 two hundred\r\n\r\n');
      else if (call.number === 3) call.socket.end();
      else call.store();
    });
    await using server = await serverFor(receiver);
    await post(server, 0, 10);
    await settled(server);
    expect(receiver.values('n')).toEqual(numbers(0, 10));
    // Each time with the same time, so that it is the same sample.
    const samples = new Set(receiver.stored.map(({ labels, at }) => `${labels['n']} ${at}`));
    expect(samples.size).toBe(10);
    expect(await metrics(server)).toMatch(/deliveries_total\{outcome="confirmed"\} 10\n/);
  });

  it('takes an answer at its status, however slow or endless its text is', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => {
      call.keep();
      call.response.writeHead(200, { 'X-Prometheus-Remote-Write-Samples-Written': call.samples.length });
      if (call.number === 0) call.response.write('x'.repeat(200_000));
      else if (call.number === 1) call.response.write('slow');
      else call.response.end();
    });
    await using server = await serverFor(receiver, { timeout: '400ms' });
    for (let n = 0; n < 3; n += 1) {
      await post(server, n, n + 1);
      await settled(server);
    }
    expect(receiver.stored.map(({ labels }) => labels['n'])).toEqual(numbers(0, 3));
  });

  it('gives up a request that is not answered in time, and sends less of it', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => {
      if (call.number > 0) call.store();
    });
    await using server = await serverFor(receiver, { timeout: '300ms' });
    await post(server, 0, 10);
    await settled(server);
    expect(receiver.calls.map(({ samples }) => samples.length)).toEqual([10, 5, 5]);
  });

  it.each(['auto', 'remote-write-1'])(
    'drops the one event of a thousand that is refused, and no other, by %s',
    async (protocol) => {
      await using receiver = await RemoteWriteReceiver.start((call) => {
        const rest = call.samples.filter(({ labels }) => labels['n'] !== '456');
        if (rest.length === call.samples.length) call.store();
        // By 1.0 nothing of it is stored, as Prometheus does it; by 2.0 the rest is.
        else if (!call.isSecond) call.answer(400, 'out of bounds\nfor hunter2');
        else {
          call.keep(rest);
          call.answer(400, 'out of bounds\nfor hunter2', {
            'X-Prometheus-Remote-Write-Samples-Written': String(rest.length),
          });
        }
      });
      await using server = await serverFor(receiver, { protocol, bearerToken: 'hunter2' });
      await post(server, 0, 1_000);
      await settled(server);
      expect(receiver.values('n').toSorted()).toEqual(
        numbers(0, 1_000)
          .filter((n) => n !== '456')
          .toSorted(),
      );
      const { sink } = await shown(server);
      expect(sink).toMatchObject({
        refused: 1,
        refusals: [{ series: 'events_to_metrics{n="456"}', why: '400: out of bounds for ***' }],
      });
      const text = await metrics(server);
      expect(text).toContain('events_to_metrics_dropped_total{reason="refused"} 1\n');
      expect(text).toContain('events_to_metrics_sink_refused_total{code="400",sink="db"} 1\n');
      expect(text).toContain('events_to_metrics_deliveries_total{outcome="confirmed"} 999\n');
      expect(server.log.join('')).not.toContain('hunter2');
    },
  );

  it('counts as dropped what a receiver did not write, and not what it refuses since it has it', async () => {
    const has = new Set<string>();
    await using receiver = await RemoteWriteReceiver.start((call) => {
      const rest = call.samples.filter(({ labels: { n = '' } }) => n !== '5' && !has.has(n));
      for (const { labels } of rest) has.add(labels['n'] ?? '');
      call.keep(rest);
      call.answer(rest.length === call.samples.length ? 204 : 400, '', {
        'X-Prometheus-Remote-Write-Samples-Written': String(rest.length),
      });
    });
    await using server = await serverFor(receiver);
    await post(server, 0, 10);
    await settled(server);
    expect(receiver.stored).toHaveLength(9);
    const text = await metrics(server);
    expect(text).toContain('events_to_metrics_dropped_total{reason="refused"} 1\n');
    expect(text).toContain('events_to_metrics_deliveries_total{outcome="confirmed"} 9\n');
  });

  it('believes a receiver that says it has written less than it was sent', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) =>
      call.store(call.samples.filter(({ labels }) => labels['n'] !== '3')),
    );
    await using server = await serverFor(receiver);
    await post(server, 0, 8);
    await settled(server);
    expect(receiver.values('n').toSorted()).toEqual(numbers(0, 8).filter((n) => n !== '3'));
    expect((await shown(server)).sink).toMatchObject({
      refused: 1,
      refusals: [{ why: '204; it says that it has written less than it was sent' }],
    });
  });

  it.each([401, 403, 404, 405, 308])(
    'drops nothing for an answer that is of the request, %i',
    async (status) => {
      await using other = await RemoteWriteReceiver.start();
      await using receiver = await RemoteWriteReceiver.start((call) =>
        call.number < 3 ? call.answer(status, 'no', { Location: other.url }) : call.store(),
      );
      await using server = await serverFor(receiver);
      await post(server, 0, 3);
      await settled(server);
      expect(receiver.values('n')).toEqual(numbers(0, 3));
      // A redirect isn't followed.
      expect(other.calls).toHaveLength(0);
    },
  );

  it('G1, G4: what was not answered at a stop, or before a kill, comes after the next start', async () => {
    using folder = temporaryFolder();
    await using receiver = await RemoteWriteReceiver.start((call) => call.keep());
    const settings = {
      'store.kind': 'sqlite',
      'store.path': folder.path,
      'server.stopTimeout': 300,
    } as const;
    {
      await using server = await serverFor(receiver, {}, settings);
      await post(server, 0, 5);
      await expect.poll(() => receiver.calls.length).toBe(1);
    }
    receiver.handle = (call) => call.store();
    await using server = await serverFor(receiver, {}, settings);
    await settled(server);
    expect(receiver.stored.map(({ labels }) => labels['n'])).toEqual([...numbers(0, 5), ...numbers(0, 5)]);
  });

  it('a stop waits for the answer to what is on its way', async () => {
    using folder = temporaryFolder();
    await using receiver = await RemoteWriteReceiver.start(async (call) => {
      await sleep(300);
      call.store();
    });
    const settings = { 'store.kind': 'sqlite', 'store.path': folder.path } as const;
    {
      await using server = await serverFor(receiver, {}, settings);
      await post(server, 0, 5);
      await expect.poll(() => receiver.calls.length).toBe(1);
    }
    await using server = await serverFor(receiver, {}, settings);
    expect((await shown(server)).pending).toBe(0);
    expect(receiver.stored).toHaveLength(5);
  });

  it('keeps its place when it leaves the configuration, and is forgotten by hand', async () => {
    using folder = temporaryFolder();
    await using receiver = await RemoteWriteReceiver.start();
    const settings = { 'store.kind': 'sqlite', 'store.path': folder.path } as const;
    {
      await using server = await serverFor(receiver, {}, settings);
      await post(server, 0, 1);
      await settled(server);
    }
    {
      await using server = await startServer(settings);
      await post(server, 1, 3);
      expect(await shown(server)).toMatchObject({ pending: 2, warnings: [{ code: 'not_configured' }] });
    }
    {
      await using server = await serverFor(receiver, {}, settings);
      await settled(server);
      expect(receiver.values('n')).toEqual(numbers(0, 3));
    }
    await using server = await startServer(settings);
    expect((await fetch(`${server.url}/api/v1/scrapers/sink:db`, { method: 'DELETE' })).status).toBe(204);
    await expect(shown(server)).rejects.toThrow('no sink');
  });

  it('that is forgotten while its receiver is away begins anew at once, and loses nothing that comes then', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.answer(503));
    await using server = await serverFor(receiver);
    await post(server, 0, 2);
    await expect.poll(async () => (await shown(server)).sink?.failing?.why).toContain('503');
    expect((await fetch(`${server.url}/api/v1/scrapers/sink:db`, { method: 'DELETE' })).status).toBe(204);
    await post(server, 2, 4);
    expect((await shown(server)).pending).toBe(2);
    receiver.handle = (call) => call.store();
    await settled(server);
    // What was on its way may come, too.
    expect(receiver.values('n').slice(-2)).toEqual(numbers(2, 4));
  });

  it('whose receiver refuses the very first event, too, counts it as dropped', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.answer(400, 'wrong'));
    await using server = await serverFor(receiver);
    await post(server, 0, 1);
    await settled(server);
    expect(receiver.calls.map(({ isSecond }) => isSecond)).toEqual([true, false]);
    expect((await shown(server)).sink).toMatchObject({ refused: 1, refusals: [{ why: '400: wrong' }] });
    expect(await metrics(server)).toContain('events_to_metrics_dropped_total{reason="refused"} 1\n');
  });

  it('G6: nobody scrapes in its place', async () => {
    await using receiver = await RemoteWriteReceiver.start((call) => call.answer(503));
    await using server = await serverFor(receiver);
    const answer = await fetch(`${server.url}/metrics?scraper=sink:db`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("don't begin with sink:");
  });

  it('G6: one that is away holds up neither another one nor a scraper', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using away = await RemoteWriteReceiver.start(() => undefined);
    await using server = await startServer({
      'server.stopTimeout': 100,
      sinks: { db: { url: receiver.url }, away: { url: away.url }, none: { url: 'http://127.0.0.1:1/' } },
    });
    await post(server, 0, 10);
    await settled(server);
    expect(receiver.values('n')).toEqual(numbers(0, 10));
    expect(await (await fetch(`${server.url}/metrics?scraper=a`)).text()).toContain('n="9"');
  });

  it('G7: whose receiver answers 500 for ever keeps as much as the backlog allows, drops the oldest, and costs no post', async () => {
    let isAway = true;
    await using receiver = await RemoteWriteReceiver.start((call) =>
      isAway ? call.answer(500, 'no space left on device') : call.store(),
    );
    await using server = await serverFor(receiver, {}, { 'scrapers.backlogMax': 100 });
    for (let from = 0; from < 1_000; from += 50) await post(server, from, from + 50);
    const dropped = async () =>
      Number(/dropped_total\{reason="backlog_full"\} (\d+)/.exec(await metrics(server))?.[1]);
    // What is on its way is not dropped, and waits beside the backlog.
    await expect.poll(dropped, { timeout: 10_000 }).toBeGreaterThan(800);
    expect((await shown(server)).pending).toBeLessThanOrEqual(200);
    expect((await shown(server)).sink?.failing?.why).toBe('500: no space left on device');
    isAway = false;
    await settled(server);
    const stored = receiver.values('n').map(Number);
    expect(stored.slice(-100)).toEqual(Array.from({ length: 100 }, (_, n) => 900 + n));
    expect(stored.length + (await dropped())).toBe(1_000);
    expect(stored).toEqual(stored.toSorted((a, b) => a - b));
  });
});
