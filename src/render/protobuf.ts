import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { EntryKind } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { metricOfHead, readSeries, writeSeries } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import type { Exposition } from './exposition.ts';
import { EVENT_HELP } from './exposition.ts';
import type { Family, FamilySample } from './families.ts';

/*
 * Messages of https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto, each behind its length:
 *
 *   MetricFamily  name=1  help=2  type=3  metric=4
 *   Metric        label=1  gauge=2  counter=3  summary=4  timestamp_ms=6  histogram=7
 *   LabelPair     name=1  value=2
 *   Gauge         value=1         Counter  value=1  created_timestamp=3    Timestamp  seconds=1  nanos=2
 *   Summary       sample_count=1  sample_sum=2  quantile=3    Quantile  quantile=1  value=2
 *   Histogram     sample_count=1  sample_sum=2  bucket=3      Bucket    cumulative_count=1  upper_bound=2
 *
 * A tag is the field's number and the kind of what follows.
 */
const varint = (field: number) => field << 3;
const fixed64 = (field: number) => (field << 3) | 1;
const counted = (field: number) => (field << 3) | 2;

const TYPE = { counter: 0, gauge: 1, summary: 2, histogram: 4 } as const satisfies Record<
  Family['type'],
  number
>;
/** Where a metric holds its value. */
const VALUE_FIELD = { gauge: 2, counter: 3, summary: 4, histogram: 7 } as const satisfies Record<
  Family['type'],
  number
>;
/** Where a summary or a histogram holds its parts, and by which label they are told apart. */
const PARTS = { summary: 'quantile', histogram: 'le' } as const;

/** The value that ends a series, 0x7ff0000000000002. In bytes, since a JavaScript number may lose the bits of a NaN. */
const STALE_NAN = Uint8Array.of(2, 0, 0, 0, 0, 0, 0xf0, 0x7f);
/** Every other NaN as Prometheus stores it, 0x7ff8000000000001: none is ever taken for the end of a series. */
const NORMAL_NAN = Uint8Array.of(1, 0, 0, 0, 0, 0, 0xf8, 0x7f);

/**
 * Delimited protobuf. The end of a pulse is a stale marker at its own time, which Prometheus stores as it is; a body without times has
 * none.
 */
export const PROTOBUF: Exposition = {
  showsEnds: true,
  samples(samples, timed) {
    const writer = new BinaryWriter();
    // A series' samples stand together, so that its labels are encoded once.
    const labelWriter = new BinaryWriter();
    let before: SeriesText | undefined;
    let labels = new Uint8Array();
    for (const { series, entry } of samples) {
      if (series !== before) {
        before = series;
        writeLabels(labelWriter, readSeries(series).labels);
        labels = labelWriter.finish();
      }
      const { kind, value, time } = entry;
      writer.uint32(counted(4)).fork().raw(labels);
      writer.uint32(counted(VALUE_FIELD.gauge)).fork().uint32(fixed64(1));
      writeSampleValue(writer, kind, value);
      writer.join();
      if (timed) writer.uint32(varint(6)).int64(time);
      writer.join();
    }
    return writer.finish();
  },
  familyHead(head, bytes) {
    const fields = new BinaryWriter();
    writeFields(fields, metricOfHead(head), EVENT_HELP, 'gauge');
    const message = fields.finish();
    return new BinaryWriter()
      .uint32(message.length + bytes)
      .raw(message)
      .finish();
  },
  own(families) {
    const writer = new BinaryWriter();
    for (const family of families) writeFamily(writer, family);
    return writer.finish();
  },
  end: new Uint8Array(),
};

function writeFields(writer: BinaryWriter, name: string, help: string, type: Family['type']): void {
  writer.uint32(counted(1)).string(name).uint32(counted(2)).string(help);
  writer.uint32(varint(3)).uint32(TYPE[type]);
}

function writeLabels(writer: BinaryWriter, labels: readonly Label[]): void {
  for (const { name, value } of labels)
    writer.uint32(counted(1)).fork().uint32(counted(1)).string(name).uint32(counted(2)).string(value).join();
}

/** Writes the eight bytes of an entry's value: those of a stale marker for the end of a pulse. */
export function writeSampleValue(writer: BinaryWriter, kind: EntryKind, value: number): void {
  if (kind === 'end') writer.raw(STALE_NAN);
  else writeDouble(writer, value);
}

function writeDouble(writer: BinaryWriter, value: number): void {
  if (Number.isNaN(value)) writer.raw(NORMAL_NAN);
  else writer.double(value);
}

function writeFamily(writer: BinaryWriter, { name, help, type, samples }: Family): void {
  writer.fork();
  writeFields(writer, name, help, type);
  if (type === 'summary' || type === 'histogram') writeDistributions(writer, name, type, samples);
  else {
    for (const { labels, value, createdAt } of samples) {
      writer.uint32(counted(4)).fork();
      writeLabels(writer, labels);
      writer.uint32(counted(VALUE_FIELD[type])).fork().uint32(fixed64(1));
      writeDouble(writer, value);
      if (type === 'counter' && createdAt !== undefined) writeTimestamp(writer.uint32(counted(3)), createdAt);
      writer.join().join();
    }
  }
  writer.join();
}

/** https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp */
function writeTimestamp(writer: BinaryWriter, time: Millis): void {
  const seconds = Math.floor(time / 1000);
  const nanos = (time - seconds * 1000) * 1_000_000;
  writer.fork().uint32(varint(1)).int64(seconds).uint32(varint(2)).int32(nanos).join();
}

/** In text each part of a summary or a histogram is a sample; here they are one message for each set of their other labels. */
function writeDistributions(
  writer: BinaryWriter,
  name: string,
  type: 'summary' | 'histogram',
  samples: readonly FamilySample[],
): void {
  const groups = new TextMap<{ readonly labels: readonly Label[]; readonly parts: FamilySample[] }>();
  for (const sample of samples) {
    const labels = sample.labels.filter((label) => label.name !== PARTS[type]);
    const key = writeSeries(name, labels);
    const group = groups.get(key) ?? { labels, parts: [] };
    group.parts.push(sample);
    groups.set(key, group);
  }
  for (const { labels, parts } of groups.values()) {
    writer.uint32(counted(4)).fork();
    writeLabels(writer, labels);
    writer.uint32(counted(VALUE_FIELD[type])).fork();
    for (const part of parts) writePart(writer, part, part.name.slice(name.length), type);
    writer.join().join();
  }
}

function writePart(
  writer: BinaryWriter,
  { labels, value }: FamilySample,
  suffix: string,
  type: 'summary' | 'histogram',
): void {
  if (suffix === '_count') writer.uint32(varint(1)).uint64(value);
  else if (suffix === '_sum') writeDouble(writer.uint32(fixed64(2)), value);
  else {
    const bound = Number(labels.find(({ name }) => name === PARTS[type])?.value.replace('Inf', 'Infinity'));
    writer.uint32(counted(3)).fork();
    if (type === 'histogram') writer.uint32(varint(1)).uint64(value).uint32(fixed64(2)).double(bound);
    else writeDouble(writer.uint32(fixed64(1)).double(bound).uint32(fixed64(2)), value);
    writer.join();
  }
}
