import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { end, event, inLog } from '../../test/golden/entries.ts';
import { parseOpenMetrics } from '../../test/support/openMetricsParser.ts';
import { NORMAL_NAN_BITS, STALE_NAN_BITS, readProtobuf } from '../../test/support/protobufReader.ts';
import { keyOf, parseSamples } from '../../test/support/strictParser.ts';
import { collapseLast } from '../delivery/collapse.ts';
import type { Entry } from '../core/entry.ts';
import { readSeries } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import { escaper } from './escape.ts';
import type { Format } from './negotiate.ts';
import { FORMATS, render } from '../../test/support/rendered.ts';
import { anyLog } from '../../test/support/anyLog.ts';

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
