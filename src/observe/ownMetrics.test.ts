import { describe, expect, it } from 'vitest';
import { divideMemory } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import type { ScraperRecord } from '../log/scraperRecords.ts';
import { newCounts } from '../counting/counts.ts';
import type { OwnMetricsParts } from './ownMetrics.ts';
import { OwnMetrics } from './ownMetrics.ts';

/** One, so that its metrics are there. */
const sinks = [
  {
    name: 'db',
    requests: new Map([['204', 1]]),
    refused: new Map([['400', 1]]),
    retries: 0,
    lastSuccess: 0,
    failingMs: 0,
    own: { stored: 1, failed: 0 },
  },
];

function metricsWith(scrapers: readonly Partial<ScraperRecord>[] = [], clock = () => millis(5_000)) {
  const counts = newCounts();
  const memory = divideMemory(1_000_000, false);
  const parts = {
    version: '1.2.3',
    counts,
    counters: { all: () => [{ labels: [{ name: 'metric', value: 'm' }], value: 5, since: 1_000_000 }] },
    scrapers: { all: () => scrapers.values() },
    logEnd: () => offset(10),
    logState: () => ({ ids: 1, entries: 2, bytes: 3, store: { isAway: false, survives: 'power' } }),
    leads: () => true,
    clock,
    elapsed: () => clock(),
    connections: { open: () => 1, max: () => 2, closed: { stalled: 0 } },
    sinks: () => sinks,
    limits: { backlogMax: 4, entriesMax: 5, bytesMax: 6 },
    memory: () => memory,
    linesLost: () => 7,
  } as unknown as OwnMetricsParts;
  return { counts, own: new OwnMetrics(parts) };
}

function familiesOf(own: OwnMetrics) {
  return own.groups().flatMap(({ families }) => families);
}

/** The samples of a family as texts: `label=value,… number`. */
function samplesOf(own: OwnMetrics, name: string): string[] | undefined {
  const family = familiesOf(own).find((each) => each.name === `events_to_metrics_${name}`);
  return family?.samples.map(
    (sample) => `${sample.labels.map((label) => `${label.name}=${label.value}`).join(',')} ${sample.value}`,
  );
}

describe("the server's own metrics", () => {
  it('come in the order in which they are described', () => {
    const { own } = metricsWith();
    const names = familiesOf(own).map(({ name }) => name);
    expect(names).toEqual(own.describe([]).map(({ name }) => name));
    expect(names[0]).toBe('events_to_metrics_build_info');
    expect(names).toContain('events_to_metrics_events_total');
    expect(names.at(-1)).not.toMatch(/^events_to_metrics_/);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are what was counted by the time they are asked for', () => {
    const { counts, own } = metricsWith();
    expect(samplesOf(own, 'event_count')).toEqual([' 0']);
    counts.accepted = 7;
    counts.seriesOverflow.refused = 2;
    expect(samplesOf(own, 'event_count')).toEqual([' 7']);
    expect(samplesOf(own, 'series_overflow_total')).toEqual(['outcome=refused 2', 'outcome=folded 0']);
    expect(samplesOf(own, 'log_entries')).toEqual([' 2']);
    expect(samplesOf(own, 'events_total')).toEqual(['metric=m 5']);
  });

  it('tell of each scraper', () => {
    const { own } = metricsWith([
      { id: 'a', position: positionAt(offset(4)), lastSeen: millis(3_500) },
      { id: 'b', position: positionAt(offset(10)), lastSeen: millis(6_000) },
    ]);
    expect(samplesOf(own, 'scraper_counts')).toEqual(['scraper=a 6', 'scraper=b 0']);
    expect(samplesOf(own, 'scraper_in_flight')).toEqual(['scraper=a 0', 'scraper=b 0']);
    expect(samplesOf(own, 'scraper_last_seen_seconds')).toEqual(['scraper=a 1.5', 'scraper=b 0']);
  });

  it('count requests by what they came to', () => {
    const { own } = metricsWith();
    expect(samplesOf(own, 'http_requests_total')).toEqual([]);
    own.countRequest('/event', 'POST', 200);
    own.countRequest('/event', 'POST', 503);
    own.countRequest('/event', 'POST', 200);
    expect(samplesOf(own, 'http_requests_total')).toEqual([
      'route=/event,method=POST,code=200 2',
      'route=/event,method=POST,code=503 1',
    ]);
  });

  it('are made anew for each who asks, until there are too many of them; then they are a second old at most', () => {
    let now = 5_000;
    const position = positionAt(offset(4));
    const scrapers = Array.from({ length: 1_000 }, (_, i) => ({
      id: `s${i}`,
      position,
      lastSeen: millis(0),
    }));
    const { counts, own } = metricsWith(scrapers, () => millis(now));
    const accepted = () => Number(samplesOf(own, 'event_count')?.[0]);
    // A thousand scrapers have 3,000 samples; 40,000 are made at once, beside the first, of which nobody knew how many there are.
    while (accepted() === counts.accepted && counts.accepted < 1_000) counts.accepted += 1;
    expect(counts.accepted).toBe(14);
    expect(own.groups()).toBe(own.groups());
    now += 1_000;
    expect(accepted()).toBe(counts.accepted);
  });

  it('are a second old at most, however many they are', () => {
    let now = 5_000;
    const position = positionAt(offset(4));
    const scrapers = Array.from({ length: 20_000 }, () => ({ id: 's', position, lastSeen: millis(0) }));
    const { counts, own } = metricsWith(scrapers, () => millis(now));
    for (let round = 0; round < 3; round += 1) {
      counts.accepted += 1;
      now += 1_000;
      expect(samplesOf(own, 'event_count')).toEqual([` ${counts.accepted}`]);
      now += 999;
      counts.accepted += 1;
      if (round > 0) expect(samplesOf(own, 'event_count')).not.toEqual([` ${counts.accepted}`]);
      now -= 999;
    }
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
