import { test } from 'vitest';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { flagsOf, postEvent, scrapeConfigsOf, SOON, valueOf } from '../support/prometheusPage.ts';
import { startServer } from '../support/server.ts';

/*
 * The counter of events begins with the first event of its labels, at 1. A Prometheus that writes a zero where the counter was created sees an
 * increase in that; another one needs a sample before.
 */

const EVENTS = 'events_to_metrics_events_total{type="first"}';

test('increase() sees the first event where Prometheus ingests created timestamps, and nowhere else', async ({
  skip,
  expect,
}) => {
  const binary = requirePrometheus('3.5');
  if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  await using server = await startServer();
  const replica = (flags: readonly string[], id: string) =>
    new Prometheus({
      binary,
      flags,
      scrapeConfigs: scrapeConfigsOf('exact-time', server).replace('prometheus-a', id),
    });
  await using seeing = replica(flagsOf('increase-flags'), 'a');
  await using blind = replica([], 'b');
  await Promise.all([seeing.start(), blind.start()]);
  const both = [seeing, blind];
  for (const each of both) await expect.poll(() => valueOf(each, 'count(up == 1)'), SOON).toBe(1);
  await postEvent(server, 'type=first');
  for (const each of both)
    await expect.poll(() => valueOf(each, `count_over_time(${EVENTS}[1h])`), SOON).toBeGreaterThan(3);
  expect(await valueOf(seeing, `round(increase(${EVENTS}[1h]), 0.1)`)).toBe(1);
  expect(await valueOf(blind, `increase(${EVENTS}[1h])`)).toBe(0);
  // The server's own counters begin with the process: the zero is not later than that.
  expect(await valueOf(seeing, 'min_over_time(events_to_metrics_event_count[1h])')).toBe(0);
});
