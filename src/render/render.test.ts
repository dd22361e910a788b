import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { end, event, inLog } from '../../test/golden/entries.ts';
import { parseOpenMetrics } from '../../test/support/openMetricsParser.ts';
import { NORMAL_NAN_BITS, STALE_NAN_BITS, readProtobuf } from '../../test/support/protobufReader.ts';
import {
  anyLabelName,
  anyLabelValue,
  anyMetricName,
  anySampleValue,
} from '../../test/support/randomEvents.ts';
import { keyOf, parseSamples } from '../../test/support/strictParser.ts';
import { collapseLast } from '../delivery/collapse.ts';
import type { Entry } from '../core/entry.ts';
import { RefusedError } from '../core/errors.ts';
import { Share } from '../core/memory.ts';
import { eventFromPairs } from '../intake/event.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { readSeries } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import { escaper } from './escape.ts';
import type { FamilyGroup } from './families.ts';
import type { Format } from './negotiate.ts';
import { negotiate } from './negotiate.ts';
import { joined, render, whole } from '../../test/support/rendered.ts';
import { Renderer } from './render.ts';
import type { Run } from '../core/run.ts';
import { runOf } from '../core/run.ts';

const MEDIA = {
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  text: 'text/plain;version=1.0.0',
};
const FORMATS = Object.values(MEDIA).flatMap((media) =>
  ['allow-utf-8', 'underscores', 'dots', 'values'].map((escaping) =>
    negotiate(`${media};escaping=${escaping}`),
  ),
);

const RULES = {
  metric: 'events',
  names: 'utf8',
  limits: {
    labelsMax: 8,
    labelNameBytesMax: 64,
    labelValueBytesMax: 4096,
    seriesBytesMax: 8192,
    idBytesMax: 32,
  },
  reserved: () => false,
} as const;

const anyName = fc.oneof(
  fc.constantFrom(
    'a.b',
    'a_b',
    'a b',
    '._name__',
    '_name_',
    'escaped_from',
    '"',
    '\\',
    '\n',
    '{',
    ',',
    '9',
    '🚀',
    'x_total',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  anyLabelName,
  anyMetricName,
);
const anyPairs = fc.uniqueArray(fc.tuple(anyName, anyLabelValue), {
  maxLength: 4,
  selector: ([name]) => name,
});

/** Series that are accepted, whatever they are named. */
const anySeries = fc.tuple(anyName, anyPairs).map(([metric, pairs]) => {
  try {
    return eventFromPairs([...pairs, ['__name__', metric]], RULES).series;
  } catch (error) {
    if (error instanceof RefusedError) return eventFromPairs([], RULES).series;
    throw error;
  }
});

/** A log of few series, so that they repeat, with ends among them; the times of a series strictly increase. */
const anyLog: fc.Arbitrary<readonly Entry[]> = fc
  .tuple(
    fc.array(anySeries, { minLength: 1, maxLength: 8 }),
    fc.array(fc.tuple(fc.nat(), anySampleValue, fc.boolean()), { maxLength: 30 }),
  )
  .map(([series, samples]) =>
    samples.map(([which, value, isEvent], index): Entry => {
      const time = millis(1_700_000_000_000 + index * 7);
      const of = series[which % series.length] as Entry['series'];
      return {
        kind: isEvent ? 'event' : 'end',
        series: of,
        value,
        time,
        arrived: time,
        offset: offset(index + 1),
      };
    }),
  );

/** `series | value | time`, with the bits of a NaN where the format has them. */
type Told = string;

function told(
  name: string,
  labels: ReadonlyMap<string, string>,
  value: string,
  time: number | undefined,
): Told {
  return `${keyOf({ name, labels })} | ${value} | ${time ?? ''}`;
}

/** What a strict reader of the format finds in a body. */
function read(
  { kind, escaping }: Format,
  body: Uint8Array,
  without: readonly string[] = [],
): readonly Told[] {
  const names = escaping === 'allow-utf-8' ? 'utf8' : 'legacy';
  if (kind === 'protobuf') {
    return readProtobuf(body, without).flatMap(({ name, metrics }) =>
      metrics.map(({ labels, value, bits, time }) =>
        told(name, labels, Number.isNaN(value) ? String(bits) : formatSampleValue(value ?? 0), time),
      ),
    );
  }
  const samples =
    kind === 'text'
      ? parseSamples(body, names)
      : parseOpenMetrics(body, names).flatMap((family) => family.samples);
  return samples.map(({ name, labels, value, time }) => told(name, labels, formatSampleValue(value), time));
}

/** What it should find. */
function meant(
  { kind, escaping }: Format,
  entries: readonly Entry[],
  timed: boolean,
  without: readonly string[] = [],
): readonly Told[] {
  const shown = entries.filter((entry) => entry.kind === 'event' || (kind === 'protobuf' && timed));
  return shown.map((entry) => {
    const { metric, labels } = readSeries(escaper(escaping)(entry.series));
    const nan = kind === 'protobuf' ? NORMAL_NAN_BITS : 'NaN';
    const value = Number.isNaN(entry.value) ? nan : formatSampleValue(entry.value);
    const byName = new Map([
      ...without.map((name) => [name, ''] as const),
      ...labels.map((label) => [label.name, label.value] as const),
    ]);
    return told(
      metric,
      byName,
      entry.kind === 'end' ? STALE_NAN_BITS : value,
      timed ? entry.time : undefined,
    );
  });
}

describe('in every format and escaping', () => {
  test.each(FORMATS)('what is accepted is read back sample for sample: $contentType', (format) => {
    fc.assert(
      fc.property(anyLog, fc.boolean(), (entries, timed) => {
        const shown = timed ? entries : collapseLast(entries);
        const body = render(format, shown, [], { timed });
        expect([...read(format, body)].sort()).toEqual([...meant(format, shown, timed)].sort());
      }),
      { numRuns: 200 },
    );
  });

  test.each(FORMATS)(
    'each event, and each end of a pulse, is without labels of the target: $contentType',
    (format) => {
      fc.assert(
        fc.property(anyLog, fc.boolean(), (entries, timed) => {
          const without = ['a_b', 'escaped_from', 'instance', 'no_event_has'];
          // Those who read text take a label with an empty value for none, as Prometheus does.
          const isTold = format.kind === 'protobuf' ? without : [];
          const shown = timed ? entries : collapseLast(entries);
          const body = render(format, shown, [], { timed, without });
          const found = read(format, body, without);
          expect([...found].sort()).toEqual([...meant(format, shown, timed, isTold)].sort());
          expect(body.toString().split('no_event_has=""')).toHaveLength(
            isTold.length > 0 ? 1 : found.length + 1,
          );
        }),
        { numRuns: 200 },
      );
    },
  );

  test.each(FORMATS)('a body of nothing is a whole body: $contentType', (format) => {
    expect(read(format, render(format, [], [], { timed: true }))).toEqual([]);
  });

  test.each(FORMATS)('a scrape without times shows no end of a pulse: $contentType', (format) => {
    const body = render(format, inLog(event('a'), end('a')), [], { timed: false });
    expect(read(format, body)).toHaveLength(1);
  });

  test.each(FORMATS)('a page of 10,000 events is rendered in little time: $contentType', (format) => {
    const label = format.escaping === 'allow-utf-8' ? 'host.name' : 'host';
    const drafts = Array.from({ length: 10_000 }, (_, n) =>
      event('deploys', { [label]: `host-${n}`, env: 'prod' }, n / 7),
    );
    const page = inLog(...drafts);
    render(format, page, [], { timed: true });
    const began = performance.now();
    render(format, page, [], { timed: true });
    // About 10 to 40 ms; the bound leaves room for a busy machine and still shows a quadratic step.
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('runs', () => {
  /** A run that others get, too, and how often somebody looked at its entries. */
  function sharedRun(entries: readonly Entry[], bytes = 0): Run & { looks: number; readonly bytes: number } {
    return {
      length: entries.length,
      bytes,
      isShared: true,
      looks: 0,
      entries() {
        this.looks += 1;
        return entries;
      },
    };
  }

  test.each(FORMATS)('make the body that their entries make, families together: $contentType', (format) => {
    fc.assert(
      fc.property(
        anyLog,
        fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }),
        fc.boolean(),
        (log, cuts, timed) => {
          // A series stands in one run only: as the relay has it.
          const entries = timed ? log : collapseLast(log);
          const series = [...new Set(entries.map((entry) => entry.series))];
          const runs = [0, 1, 2, 3].map((n) =>
            sharedRun(entries.filter((entry) => cuts[series.indexOf(entry.series)] === n)),
          );
          const body = joined(whole(new Renderer(new Share(Infinity)).render(format, runs, [], { timed })));
          const inOrder = runs.flatMap((run) => run.entries());
          expect(body.equals(render(format, inOrder, [], { timed }))).toBe(true);
        },
      ),
    );
  });

  test('that are shared are looked at once for each way to show them, of which the last two are kept', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = sharedRun(inLog(event('a', { b: 'x' }), event('a', { b: 'y' })));
    const made = (media: string, timed: boolean, without: readonly string[] = []) => {
      const pieces = whole(renderer.render(negotiate(media), [run], [], { timed, without }));
      return pieces.find(({ isShared }) => isShared)?.bytes;
    };
    const text = made(MEDIA.text, false);
    expect(made(MEDIA.text, false)).toBe(text);
    const protobuf = made(MEDIA.protobuf, true);
    expect(made(MEDIA.protobuf, true)).toBe(protobuf);
    expect(run.looks).toBe(2);
    made(MEDIA.openmetrics, true);
    expect(made(MEDIA.protobuf, true)).toBe(protobuf);
    expect(run.looks).toBe(3);
    expect(made(MEDIA.text, false)).not.toBe(text);
    expect(run.looks).toBe(4);
    const withoutPod = made(MEDIA.text, false, ['pod']);
    expect(withoutPod?.length).toBeGreaterThan(text?.length ?? 0);
    expect(made(MEDIA.text, false, ['pod'])).toBe(withoutPod);
    expect(run.looks).toBe(5);
  });

  test.each(FORMATS)('made ahead are what a body has of them, byte for byte: $contentType', (format) => {
    fc.assert(
      fc.property(anyLog, fc.boolean(), fc.subarray(['a_b', 'instance', 'pod']), (log, timed, without) => {
        const run = sharedRun(timed ? log : collapseLast(log));
        const renderer = new Renderer(new Share(Infinity));
        const shown = { timed, without, escaping: format.escaping };
        const made = renderer.ahead(run, format.kind, shown);
        const pieces = whole(renderer.render(format, [run], [], shown));
        expect(run.looks).toBe(1);
        expect(pieces.filter(({ isShared }) => isShared)).toEqual(made);
        const anew = whole(new Renderer(new Share(Infinity)).render(format, [run], [], shown));
        expect(joined(pieces).equals(joined(anew))).toBe(true);
        expect(renderer.ahead(run, format.kind, shown)).toEqual([]);
      }),
    );
  });

  test('are made ahead where there is room, if they are shared, of few families, and lack a way', () => {
    const share = new Share(1_000);
    const renderer = new Renderer(share);
    const shown = { timed: false, without: [], escaping: 'underscores' } as const;
    const small = sharedRun(inLog(event('a', { b: 'x'.repeat(200) })), 210);
    const long = { ...small, bytes: 438 };
    expect(renderer.ahead(long, 'text', shown)).toBeUndefined();
    expect([long.looks, share.held]).toEqual([0, 0]);
    expect(renderer.ahead(small, 'text', shown)).toHaveLength(1);
    expect(renderer.ahead({ ...sharedRun(inLog(event('a'))), isShared: false }, 'text', shown)).toEqual([]);
    const scattered = sharedRun(inLog(...Array.from({ length: 65 }, (_, n) => event(`m${n}`))));
    for (let i = 0; i < 3; i += 1) expect(renderer.ahead(scattered, 'text', shown)).toEqual([]);
    expect(scattered.looks).toBe(1);
    const large = sharedRun(inLog(event('a', { b: 'x'.repeat(400) })));
    expect(renderer.ahead(large, 'text', shown)).toBeUndefined();
    expect(renderer.ahead(small, 'text', { ...shown, timed: true })).toHaveLength(1);
    expect(renderer.ahead(small, 'protobuf', shown)).toEqual([]);
    expect(share.held).toBeLessThanOrEqual(1_000);
  });

  test('of very many families are kept nowhere, either: their pieces are small', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = (families: number) =>
      sharedRun(inLog(...Array.from({ length: families }, (_, n) => event(`m${n}`))));
    for (const [families, looks] of [
      [64, 1],
      [65, 3],
    ] as const) {
      const each = run(families);
      for (let i = 0; i < 3; i += 1) {
        const pieces = whole(renderer.render(negotiate(undefined), [each], [], { timed: false }));
        expect(pieces.filter(({ isShared }) => isShared)).toHaveLength(families === 64 ? 64 : 0);
      }
      expect(each.looks).toBe(looks);
    }
  });

  test('are made in steps of some hundred entries, and timed, none of which parts a series', () => {
    const count = 1_300;
    const log = inLog(...Array.from({ length: count }, (_, n) => event('m', { s: String(n % 3) })));
    const steps = new Renderer(new Share(Infinity)).render(negotiate(MEDIA.text), [runOf(log)], [], {
      timed: true,
    });
    let stops = 0;
    for (;;) {
      const step = steps.next();
      if (step.done !== true) {
        stops += 1;
        continue;
      }
      const samples = parseSamples(joined(step.value).toString());
      expect(samples).toHaveLength(count);
      const order = samples.map((sample) => keyOf(sample));
      expect(order.filter((key, n) => key !== order[n - 1])).toHaveLength(3);
      break;
    }
    // The first part ends with the second series, and not after 500.
    expect(stops).toBe(2);
    const distinct = inLog(...Array.from({ length: count }, (_, n) => event(`m${n % 2}`, { n: String(n) })));
    const body = render(negotiate(MEDIA.text), distinct, [], { timed: false }).toString();
    expect(parseSamples(body)).toHaveLength(count);
    expect(body.match(/# TYPE/g)).toHaveLength(2);
  });

  test('that are shared are one piece for each family, whatever their length', () => {
    const log = inLog(...Array.from({ length: 600 }, (_, n) => event('m', { n: String(n) })));
    const pieces = whole(
      new Renderer(new Share(Infinity)).render(negotiate(MEDIA.text), [sharedRun(log)], [], { timed: false }),
    );
    expect(pieces.filter(({ isShared }) => isShared)).toHaveLength(1);
  });

  test('that are not shared are kept nowhere', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = { ...sharedRun(inLog(event('a'))), isShared: false };
    for (let i = 0; i < 3; i += 1) whole(renderer.render(negotiate(undefined), [run], [], { timed: false }));
    expect(run.looks).toBe(3);
  });
});

describe("groups of the server's own families", () => {
  const FAMILY = { help: 'Helps.', samples: [] };
  const group = (name: string, isShared = true): FamilyGroup => ({
    families: [{ ...FAMILY, name, type: 'counter', samples: [{ name, labels: [], value: 1 }] }],
    isShared,
  });

  test.each(FORMATS)('stand in the order in which they come: $contentType', (format) => {
    const groups = [group('one_total', false), group('two_total')];
    const apart = whole(new Renderer(new Share(Infinity)).render(format, [], groups, { timed: false }));
    const families = groups.flatMap((each) => each.families);
    expect(joined(apart).equals(render(format, [], families, { timed: false }))).toBe(true);
  });

  test('are made once for each way to show them where they are shared, and only there', () => {
    const renderer = new Renderer(new Share(Infinity));
    const made = (of: FamilyGroup, media: string) =>
      whole(renderer.render(negotiate(media), [], [of], { timed: false }))[0];
    const [shared, own] = [group('a_total'), group('a_total', false)];
    const text = made(shared, MEDIA.text);
    expect(text?.isShared).toBe(true);
    expect(made(shared, MEDIA.text)).toBe(text);
    expect(made(shared, MEDIA.protobuf)?.bytes).not.toEqual(text?.bytes);
    expect(made(own, MEDIA.text)).toEqual({ bytes: text?.bytes, isShared: false });
    expect(made(own, MEDIA.text)).not.toBe(made(own, MEDIA.text));
  });

  test('are made anew where an event has the name that one of them would have', () => {
    const format = negotiate(MEDIA.openmetrics);
    const renderer = new Renderer(new Share(Infinity));
    const shared = group('a_total');
    const body = (...metrics: string[]) =>
      joined(
        whole(
          renderer.render(format, [runOf(inLog(...metrics.map((metric) => event(metric))))], [shared], {
            timed: false,
          }),
        ),
      ).toString();
    for (let i = 0; i < 2; i += 1) {
      expect(body('b')).toContain('# TYPE a counter\n');
      expect(body('a')).toContain('# TYPE a_total unknown\n');
    }
  });
});
