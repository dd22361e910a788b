import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readWriteRequest } from '../support/remoteWriteReader.ts';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const serverFor = ({ url }: { readonly url: string }, sink: Readonly<Record<string, unknown>> = {}) =>
  startServer({
    sinks: { db: { url, ownMetrics: { interval: '1s' }, ...sink } },
    'server.stopTimeout': 1_000,
  });
const counted = async ({ url }: RunningServer, outcome: string) => {
  const text = await (await fetch(`${url}/metrics?peek=true`)).text();
  const sample = new RegExp(`sink_own_metrics_total\\{outcome="${outcome}",sink="db"\\} (\\d+)`);
  return Number(sample.exec(text)?.[1] ?? 0);
};
const ofMetric = (receiver: RemoteWriteReceiver, metric: string) =>
  receiver.stored.filter(({ labels }) => labels['__name__'] === metric);
const UPTIME = 'process_start_time_seconds';
const ACCEPTED = 'events_to_metrics_event_count';

describe("the server's own metrics", () => {
  it('are pushed at an interval, at the time of sending, with labels of a target', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    await using server = await serverFor(receiver, {
      labels: { cluster: 'a', instance: 'sink' },
      ownMetrics: { interval: '1s', labels: { job: 'events' } },
    });
    await fetch(`${server.url}/event?n=1`, { method: 'POST' });
    await expect.poll(() => ofMetric(receiver, ACCEPTED).at(-1)?.value, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => ofMetric(receiver, UPTIME).length, { timeout: 10_000 }).toBeGreaterThan(2);
    const [first, second] = ofMetric(receiver, UPTIME);
    expect(first?.labels).toEqual({
      __name__: UPTIME,
      job: 'events',
      instance: 'sink',
      cluster: 'a',
    });
    const apart = (second?.at ?? 0) - (first?.at ?? 0);
    expect(apart).toBeGreaterThan(900);
    expect(apart).toBeLessThan(2_000);
    expect(Math.abs((first?.at ?? 0) - Date.now())).toBeLessThan(20_000);
    // Events are not changed by it.
    const event = receiver.stored.find(({ labels }) => labels['n'] === '1');
    expect(event?.labels).toEqual({ __name__: 'events_to_metrics', n: '1', cluster: 'a', instance: 'sink' });
  });

  it('have a job and an instance, types, help, and the start of counters', async () => {
    const bodies: Buffer[] = [];
    await using receiver = await RemoteWriteReceiver.start();
    const { handle } = receiver;
    receiver.handle = (call) => {
      bodies.push(call.body);
      return handle(call);
    };
    await using server = await serverFor(receiver);
    await expect.poll(() => counted(server, 'stored'), { timeout: 10_000 }).toBeGreaterThan(0);
    const series = readWriteRequest(
      bodies[0] ?? Buffer.alloc(0),
      'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    );
    const found = (metric: string) => series.find(({ labels }) => labels['__name__'] === metric);
    const target = { job: 'oneShotMetricsServer', instance: `${hostname()}:${server.port}` };
    expect(found(ACCEPTED)).toMatchObject({
      labels: target,
      metadata: { type: 1, help: expect.stringContaining('Events accepted') as string },
    });
    const start = found(ACCEPTED)?.createdAt ?? 0;
    expect(Math.abs(start - Date.now())).toBeLessThan(60_000);
    expect(found(ACCEPTED)?.samples[0]?.startAt).toBe(start);
    expect(found(UPTIME)).toMatchObject({ labels: target, metadata: { type: 2 } });
    expect(found(UPTIME)?.createdAt).toBeUndefined();
  });

  it('are dropped while the receiver is away, and the next ones are newer; events wait', async () => {
    let isAway = true;
    await using receiver = await RemoteWriteReceiver.start((call) =>
      isAway ? call.answer(503, 'full') : call.store(),
    );
    await using server = await serverFor(receiver);
    await expect.poll(() => counted(server, 'failed'), { timeout: 10_000 }).toBeGreaterThan(1);
    const list = async () => (await fetch(`${server.url}/api/v1/scrapers`)).text();
    expect(await list()).toContain('"ownMetricsFailing":"503: full"');
    isAway = false;
    const since = Date.now();
    await expect.poll(() => counted(server, 'stored'), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(ofMetric(receiver, ACCEPTED).every(({ at }) => at >= since)).toBe(true);
    expect(await list()).not.toContain('ownMetricsFailing');
    expect(server.log.filter((line) => line.includes("server's own metrics"))).toHaveLength(2);
  });

  it('go by 1.0 where the receiver does not know 2.0, in requests of the size that is set', async () => {
    await using receiver = await RemoteWriteReceiver.start();
    receiver.isBlind = true;
    await using server = await serverFor(receiver, { eventsMax: 50 });
    await expect.poll(() => counted(server, 'stored'), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(ofMetric(receiver, UPTIME).length).toBeGreaterThan(0);
    const sizes = receiver.calls.filter(({ isSecond }) => !isSecond).map(({ samples }) => samples.length);
    expect(sizes.slice(0, 2)).toEqual([50, 50]);
    expect(Math.max(...sizes)).toBe(50);
  });
});
