import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { NewEntry } from '../../src/core/entry.ts';
import { millis } from '../../src/core/millis.ts';
import { runOf } from '../../src/core/run.ts';
import type { SeriesText } from '../../src/core/series.ts';
import { escape, writeSeries } from '../../src/core/series.ts';
import { MemoryLog } from '../../src/log/memory/memoryLog.ts';
import { SqliteLog } from '../../src/log/sqlite/sqliteLog.ts';
import type { CollapseHow } from '../../src/delivery/collapse.ts';
import { collapse } from '../../src/delivery/collapse.ts';
import { Harness } from '../support/harness.ts';
import { render } from '../support/rendered.ts';
import { negotiate } from '../../src/render/negotiate.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { DECODERS } from './decoders.ts';
import { SLOWDOWN_MAX, slowdown } from './doubling.ts';

/** V8 hashes no text whole that is longer. */
const HASHED = 16_383;
const LONG = HASHED + 17;

/** Numbers of one length. */
const numbered = (n: number): string => String(n).padStart(10, '0');
const times = (n: number, make: (i: number) => string): string[] =>
  Array.from({ length: n }, (_, i) => make(i));
/** The same text without a hash that was made before. */
const fresh = <T extends string>(text: T): T => Buffer.from(text).toString() as T;
const longText = (i: number): string => 'x'.repeat(LONG - 10) + numbered(i);
const longNames = (n: number): string => times(n, (i) => `"${longText(i)}":1`).join();
const lines = (n: number, make: (i: number) => string): string => times(n, (i) => `${make(i)}\n`).join('');
const alertOf = (labels: string): string =>
  `{"labels":{"a":"b",${labels}},"status":"firing","startsAt":"2026-11-24T12:00:00Z"}`;
const cloudEvent = (more: string): string =>
  `{"specversion":"1.0","type":"t","source":"/s","id":"1",${more}}`;

type Input = readonly [decoder: string, what: string, n: number, make: (n: number) => string];

const INPUTS: readonly Input[] = [
  [
    'JSON events',
    'names of one length, each longer than is hashed',
    300,
    (n) => `{"labels":{${longNames(n)}}}`,
  ],
  [
    'JSON events',
    'fields nobody knows of one length',
    300,
    (n) => `[${times(n, (i) => `{"${longText(i)}":1}`).join()}]`,
  ],
  [
    'JSON events',
    'values of one length',
    300,
    (n) => `[${times(n, (i) => `{"labels":{"a":"${longText(i)}"}}`).join()}]`,
  ],
  ['JSON events', 'ids of one length', 300, (n) => `[${times(n, (i) => `{"id":"${longText(i)}"}`).join()}]`],
  [
    'JSON events',
    'names that are numbers',
    40_000,
    (n) => `{"labels":{${times(n, (i) => `"${(i * 16_384) % 4_294_967_291}":1`).join()}}}`,
  ],
  [
    'JSON events',
    'ids and values that are numbers',
    10_000,
    (n) => `[${times(n, (i) => `{"id":"${i << 14}","labels":{"a":"${i << 14}"}}`).join()}]`,
  ],
  ['JSON events', 'labels', 20_000, (n) => `{"labels":{${times(n, (i) => `"a${i}":""`).join()}}}`],
  ['NDJSON', 'names of one length', 300, (n) => lines(n, (i) => `{"labels":{"${longText(i)}":1}}`)],
  [
    'NDJSON',
    'values of newlines',
    300,
    (n) =>
      lines(
        n,
        (i) => `{"labels":{"a":"${'\\n'.repeat(4000)}","b":"${'\\n'.repeat(4000)}","c":"${numbered(i)}"}}`,
      ),
  ],
  [
    'NDJSON',
    'values of backslashes',
    300,
    (n) =>
      lines(
        n,
        (i) => `{"labels":{"a":"${'\\\\'.repeat(4000)}","b":"${'\\\\'.repeat(4000)}","c":"${numbered(i)}"}}`,
      ),
  ],
  [
    'NDJSON',
    'one metric with many names',
    10_000,
    (n) => lines(n, (i) => `{"name":"m","labels":{"l${i}":"x"}}`),
  ],
  [
    'NDJSON',
    'steps of one event',
    300,
    (n) => lines(n, (i) => `{"labels":{${times(50, (k) => `"l${i}_${k}":"x"`).join()}}}`),
  ],
  ['a CloudEvent', 'names of one length in its data', 300, (n) => cloudEvent(`"data":{${longNames(n)}}`)],
  ['a CloudEvent', 'attributes of one length', 300, (n) => cloudEvent(longNames(n))],
  [
    'a batch of CloudEvents',
    'sources of one length',
    300,
    (n) => `[${times(n, (i) => cloudEvent(`"subject":"${longText(i)}"`)).join()}]`,
  ],
  ...['github', 'gitlab', 'argocd', 'flux', 'grafana', 'graphite', 'alertmanager', 'prometheus'].map(
    (name): Input => [`the webhook ${name}`, 'names of one length', 300, (n) => `{${longNames(n)}}`],
  ),
  [
    'the webhook prometheus',
    'labels of one length',
    300,
    (n) => `[${times(n, (i) => alertOf(`"${longText(i)}":"x"`)).join()}]`,
  ],
  [
    'the webhook prometheus',
    'values of one length',
    300,
    (n) => `[${times(n, (i) => alertOf(`"c":"${longText(i)}"`)).join()}]`,
  ],
  [
    'the webhook alertmanager',
    'labels of one length',
    300,
    (n) => `{"alerts":[${times(n, (i) => alertOf(`"${longText(i)}":"x"`)).join()}]}`,
  ],
  [
    'the webhook grafana',
    'tags of one length',
    30,
    (n) => `{"text":"x","tags":[${times(n, (i) => `"${longText(i)}:x"`).join()}]}`,
  ],
  ['a form', 'a value of newlines', 200_000, (n) => `a=${'%0A'.repeat(n)}`],
  ['a form', 'a value of backslashes', 500_000, (n) => `a=${'\\'.repeat(n)}`],
];

it.each(INPUTS)('%s: %s cost in proportion to their number', async (name, _what, n, make) => {
  const decoder = DECODERS.find((each) => each.name === name);
  if (decoder === undefined) throw new Error(`no decoder ${name}`);
  expect(
    await slowdown(
      n,
      (count) => Buffer.from(make(count)),
      async (bytes) => {
        try {
          await decoder.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(decoder.error);
        }
      },
    ),
  ).toBeLessThan(SLOWDOWN_MAX);
});

/** As `writeSeries` has it; to escape it for each of them would take the most of the test. */
const NEWLINES = escape('\n'.repeat(LONG / 2));

type Series = readonly [what: string, n: number, make: (i: number) => SeriesText];

/** As the log of a server may hold them that had no bound on a series. */
const SERIES: readonly Series[] = [
  [
    'of one length, each longer than is hashed',
    500,
    (i) => writeSeries('m', [{ name: 'a', value: longText(i) }]),
  ],
  [
    'of newlines, longer than is hashed once they are escaped',
    500,
    (i) => `m{a="${NEWLINES}${numbered(i)}"}` as SeriesText,
  ],
  [
    'with so many names that these are longer',
    300,
    (i) =>
      writeSeries(
        'm',
        times(65, (k) => `ü${'n'.repeat(250)}${numbered(i)}${k}`).map((label) => ({
          name: label,
          value: 'x',
        })),
      ),
  ],
  ['of metrics of one length', 500, (i) => writeSeries(longText(i), [])],
  ['of numbers', 20_000, (i) => writeSeries('m', [{ name: 'a', value: String(1_000_000_000 + i * 16_384) }])],
  ['of one metric with many names', 5000, (i) => writeSeries('m', [{ name: `l.${i}`, value: 'x' }])],
];

const NOW = 1_700_000_000_000;
const LIMITS = { bytesMax: 1 << 30, eventsMax: 1_000_000, tailBytesMax: 1 << 30, backlogMax: 1_000_000 };

function entriesOf(n: number, make: (i: number) => SeriesText): NewEntry[] {
  return Array.from({ length: n }, (_, i) => ({
    kind: 'event' as const,
    series: fresh(make(i)),
    value: 1,
    time: millis(NOW - 1000),
    arrived: millis(NOW - 1000),
  }));
}

describe.each(SERIES)('series %s cost in proportion to their number', (_what, n, make) => {
  /** A harness with them in its log; each stands there twice, the second time as a text of its own. */
  const filled = async (count: number): Promise<Harness> => {
    const log = new MemoryLog();
    await log.start();
    await log.append(entriesOf(count, make));
    await log.append(entriesOf(count, make));
    return new Harness(log, LIMITS);
  };

  it('at a start, and when they are stored, scraped and trimmed', async () => {
    expect(
      await slowdown(n, filled, async (relay) => {
        await relay.start();
        await relay.log.append(entriesOf(1, make));
        await relay.scrape('a', 'timed');
        await relay.scrape('b', 'untimed');
        await relay.endPulses();
      }),
    ).toBeLessThan(SLOWDOWN_MAX);
  });

  it('when they come by an append', async () => {
    const started = async (count: number) => {
      const relay = new Harness(new MemoryLog(), { ...LIMITS, tailBytesMax: 1 << 20 });
      await relay.log.start();
      await relay.start();
      return { relay, entries: [...entriesOf(count, make), ...entriesOf(count, make)] };
    };
    expect(await slowdown(n, started, ({ relay, entries }) => relay.log.append(entries))).toBeLessThan(
      SLOWDOWN_MAX,
    );
  });

  const shown = (count: number) =>
    runOf(
      [...entriesOf(count, make), ...entriesOf(count, make)].map((entry, i) => ({
        ...entry,
        offset: (i + 1) as never,
      })),
    );

  it.each(['sum', 'spread'] satisfies CollapseHow[])('when they are collapsed: %s', async (how) => {
    expect(await slowdown(n, shown, (run) => collapse(how, run.entries()))).toBeLessThan(SLOWDOWN_MAX);
  });

  it.each([
    'text/plain;version=0.0.4',
    'application/openmetrics-text;version=1.0.0;escaping=values',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=dots',
  ])('when they are shown as %s', async (accept) => {
    const format = negotiate(accept);
    expect(
      await slowdown(n, shown, (run) => render(format, run.entries(), [], { timed: true })),
    ).toBeLessThan(SLOWDOWN_MAX);
  });
});

it('events with integer-like ids, or ids of one length, cost in proportion to their number', async () => {
  for (const idOf of [(i: number) => String(i << 14), (i: number) => 'x'.repeat(4086) + numbered(i)]) {
    const started = async (count: number) => {
      const log = new MemoryLog();
      await log.start();
      const relay = new Harness(log, LIMITS);
      await relay.start();
      return {
        relay,
        events: Array.from({ length: count }, (_, i) => ({ n: String(i << 14), id: fresh(idOf(i)) })),
      };
    };
    expect(await slowdown(5000, started, ({ relay, events }) => relay.postBatch(events))).toBeLessThan(
      SLOWDOWN_MAX,
    );
  }
});

describe('a whole server', () => {
  /** Of values that pass their own limits, and are one length together; no better compressed than a body of many events is. */
  const bodyOf = (count: number): Buffer =>
    gzipSync(
      lines(count, (i) => {
        const half = `${randomBytes(200).toString('hex')}${'\\n'.repeat(3690)}`;
        return `{"labels":{"a":"${half}","b":"${half}","c":"${numbered(i)}"}}`;
      }),
    );

  it.each([
    ['takes', '', 200, HASHED],
    ['refuses', '?partial=true', 400, HASHED / 2],
  ] as const)(
    '%s thousands of events of one length in one body in proportion to their number',
    async (_how, query, status, seriesMax) => {
      using folder = temporaryFolder();
      await using server = await startServer({
        // A fast machine sends more than a log in memory takes.
        'store.kind': 'sqlite',
        'store.path': folder.path,
        'store.durability': 'process',
        'event.seriesMax': Math.floor(seriesMax),
        'event.labelValueMax': 4096,
        'tail.bytesMax': 1 << 30,
      });
      const statuses = new Set<number>();
      expect(
        await slowdown(1000, bodyOf, async (body) => {
          const response = await fetch(`${server.url}/event${query}`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'gzip' },
            body: new Uint8Array(body),
          });
          await response.arrayBuffer();
          statuses.add(response.status);
        }),
      ).toBeLessThan(SLOWDOWN_MAX);
      expect([...statuses]).toEqual([status]);
    },
  );

  it('starts, is scraped and shows its feed in proportion to the long series in its log', async () => {
    using folder = temporaryFolder();
    const make = SERIES[0]?.[2] as Series[2];
    const now = Date.now();
    const filled = async (count: number) => {
      const path = `${folder.path}/${count}-${performance.now()}`;
      await using log = new SqliteLog({ path, durability: 'process' });
      await log.start();
      const entries = entriesOf(count, make).map((entry) => ({
        ...entry,
        time: millis(now),
        arrived: millis(now),
      }));
      await log.append(entries);
      return path;
    };
    expect(
      await slowdown(400, filled, async (path) => {
        await using server = await startServer({
          'store.kind': 'sqlite',
          'store.path': path,
          'scrape.bytesMax': 1 << 28,
          'tail.bytesMax': 1 << 28,
        });
        for (const [scraper, accept] of [
          ['a', 'text/plain'],
          ['b', 'application/openmetrics-text;version=1.0.0'],
          ['c', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'],
        ] as const) {
          const response = await fetch(`${server.url}/metrics?scraper=${scraper}`, {
            headers: { Accept: accept },
          });
          await response.arrayBuffer();
          expect(response.status).toBe(200);
        }
        const feed = await fetch(`${server.url}/api/v1/events?limit=1000`);
        await feed.arrayBuffer();
        expect(feed.status).toBe(200);
      }),
    ).toBeLessThan(SLOWDOWN_MAX);
  });
});
