import { describe, expect, it } from 'vitest';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import type { ScraperRecord } from '../log/log.ts';
import { newCounts } from '../relay/counts.ts';
import type { OwnMetricsParts } from './ownMetrics.ts';
import { OwnMetrics } from './ownMetrics.ts';

function metricsWith(scrapers: readonly Partial<ScraperRecord>[] = []) {
  const counts = newCounts();
  const parts = {
    version: '1.2.3',
    counts,
    counters: { all: () => [{ labels: [{ name: 'metric', value: 'm' }], value: 5 }] },
    scrapers: { all: () => scrapers.values() },
    pages: { end: offset(10) },
    log: { state: () => ({ ids: 1, entries: 2, bytes: 3 }) },
    clock: () => millis(5_000),
    elapsed: () => 0,
    connections: { open: () => 1, max: () => 2, closed: { stalled: 0 } },
    limits: { backlogMax: 4, entriesMax: 5, bytesMax: 6 },
  } as unknown as OwnMetricsParts;
  return { counts, own: new OwnMetrics(parts) };
}

async function familiesOf(own: OwnMetrics) {
  return (await own.groups()).flatMap(({ families }) => families);
}

/** The samples of a family as texts: `label=value,… number`. */
async function samplesOf(own: OwnMetrics, name: string): Promise<string[] | undefined> {
  const family = (await familiesOf(own)).find((each) => each.name === `events_to_metrics_${name}`);
  return family?.samples.map(
    (sample) => `${sample.labels.map((label) => `${label.name}=${label.value}`).join(',')} ${sample.value}`,
  );
}

describe("the server's own metrics", () => {
  it('come in the order in which they are described', async () => {
    const { own } = metricsWith();
    const names = (await familiesOf(own)).map(({ name }) => name);
    expect(names).toEqual(own.describe([]).map(({ name }) => name));
    expect(names[0]).toBe('events_to_metrics_build_info');
    expect(names).toContain('events_to_metrics_events_total');
    expect(names.at(-1)).not.toMatch(/^events_to_metrics_/);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are what was counted by the time they are asked for', async () => {
    const { counts, own } = metricsWith();
    expect(await samplesOf(own, 'event_count')).toEqual([' 0']);
    counts.accepted = 7;
    counts.seriesOverflow.refused = 2;
    expect(await samplesOf(own, 'event_count')).toEqual([' 7']);
    expect(await samplesOf(own, 'series_overflow_total')).toEqual(['outcome=refused 2', 'outcome=folded 0']);
    expect(await samplesOf(own, 'log_entries')).toEqual([' 2']);
    expect(await samplesOf(own, 'events_total')).toEqual(['metric=m 5']);
  });

  it('tell of each scraper', async () => {
    const { own } = metricsWith([
      { id: 'a', position: positionAt(offset(4)), lastSeen: millis(3_500) },
      { id: 'b', position: positionAt(offset(10)), lastSeen: millis(6_000) },
    ]);
    expect(await samplesOf(own, 'scraper_counts')).toEqual(['scraper=a 6', 'scraper=b 0']);
    expect(await samplesOf(own, 'scraper_in_flight')).toEqual(['scraper=a 0', 'scraper=b 0']);
    expect(await samplesOf(own, 'scraper_last_seen_seconds')).toEqual(['scraper=a 1.5', 'scraper=b 0']);
  });

  it('count requests by what they came to', async () => {
    const { own } = metricsWith();
    expect(await samplesOf(own, 'http_requests_total')).toEqual([]);
    own.countRequest('/event', 'POST', 200);
    own.countRequest('/event', 'POST', 503);
    own.countRequest('/event', 'POST', 200);
    expect(await samplesOf(own, 'http_requests_total')).toEqual([
      'route=/event,method=POST,code=200 2',
      'route=/event,method=POST,code=503 1',
    ]);
  });

  it.each([
    ['events_to_metrics_build_info', true],
    ['events_to_metrics_events_total', true],
    ['events_to_metrics_event_count_total', true],
    ['process_cpu_seconds_total', true],
    ['nodejs_gc_duration_seconds_bucket', true],
    ['events_to_metrics', false],
    ['deploys_total', false],
  ])('%s is one of them, or a part of one: %s', (name, owned) => {
    expect(metricsWith().own.owns(name)).toBe(owned);
  });
});
