import { expect, test } from 'vitest';
import type { RandomQuery } from '../support/randomEvents.ts';
import { mulberry32, randomQuery } from '../support/randomEvents.ts';
import { HOW_TO_GET_PROMETHEUS, findPromtool, promtoolCheckMetrics } from '../support/prometheus.ts';
import { RawClient, request } from '../support/rawHttp.ts';
import { startServer } from '../support/server.ts';
import type { ParsedSample } from '../support/strictParser.ts';
import { parseSamples } from '../support/strictParser.ts';

const EVENTS = 100_000;
const CLIENTS = 8;
/** Requests that a client has under way at once. */
const PIPELINED = 50;
const SCRAPE_EVERY = 20_000;

/** Posts a share of the queries, and compares each answer with what the query deserves. */
async function postAll(port: number, queries: readonly RandomQuery[]): Promise<void> {
  const client = await RawClient.connect(port);
  for (let from = 0; from < queries.length; from += PIPELINED) {
    const batch = queries.slice(from, from + PIPELINED);
    client.send(
      batch.map(({ query }) => request('POST', `/event?${query}`, { 'Content-Length': '0' })).join(''),
    );
    for (const { query, verdict, why } of batch) {
      const { status, body } = await client.response();
      expect({ query, why, status, body }).toMatchObject({ status: verdict === 'accepted' ? 200 : 400 });
    }
  }
  client.end();
}

/** One text for one sample, the same for what was posted and what was scraped. */
function fingerprint(metric: string, labels: Iterable<readonly [string, string]>, value: number): string {
  const sorted = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metric, sorted, Object.is(value, -0) ? '-0' : String(value)]);
}

const ofSample = ({ name, labels, value }: ParsedSample) => fingerprint(name, labels, value);
const ofQuery = ({ metric, labels, value }: RandomQuery) =>
  fingerprint(metric ?? 'events_to_metrics', labels, value);

test(`G5: of ${EVENTS} random events through the HTTP door, all that is accepted, and nothing else, is in valid expositions to the letter`, async () => {
  const promtool = findPromtool();
  if (promtool === undefined && (process.env['CI'] ?? '') !== '') throw new Error(HOW_TO_GET_PROMETHEUS);
  await using server = await startServer({
    'scrape.timestamps': 'explicit',
    'scrapers.known': ['a'],
    'event.labelsMax': 64,
    'event.labelValueMax': 4096,
  });
  const random = mulberry32(20_261_124);
  const queries = Array.from({ length: EVENTS }, () => randomQuery(random));
  const own = new Set<string>();
  const scraper = await RawClient.connect(server.port);
  const scraped: string[] = [];
  const scrapeAll = async () => {
    for (;;) {
      scraper.get('/metrics?scraper=a');
      const { body } = await scraper.response();
      const samples = parseSamples(body);
      if (promtool !== undefined) {
        const { code, output } = await promtoolCheckMetrics(body);
        // 3 says that a name breaks a convention: the senders' business.
        expect({ code, output: code === 1 ? output : '' }).not.toMatchObject({ code: 1 });
      }
      const events = samples.filter(({ time }) => time !== undefined);
      for (const sample of samples) if (sample.time === undefined) own.add(sample.name);
      scraped.push(...events.map(ofSample));
      if (events.length === 0) return;
    }
  };
  for (let from = 0; from < EVENTS; from += SCRAPE_EVERY) {
    const part = queries.slice(from, from + SCRAPE_EVERY);
    const share = Math.ceil(part.length / CLIENTS);
    await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) => postAll(server.port, part.slice(i * share, (i + 1) * share))),
    );
    await scrapeAll();
  }
  const expected = queries.filter(({ verdict }) => verdict === 'accepted').map(ofQuery);
  expect(expected.length).toBeGreaterThan(EVENTS / 2);
  expect(expected.length).toBeLessThan(EVENTS);
  expect(own).toContain('events_to_metrics_event_count');
  // Compared as texts: a deep comparison of two hundred thousand of them would take minutes.
  expect(
    scraped.toSorted().join('\n') === expected.toSorted().join('\n'),
    'what was scraped is what was accepted',
  ).toBe(true);
});
