import type { FamilyType } from './strictParser.ts';

/**
 * A strict reader of delimited `io.prometheus.client.MetricFamily` messages, for tests; it shares neither code nor library with
 * `src/`: https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 * It throws on fields that it doesn't know, on what is cut, and on what fails a scrape.
 */

export interface ProtobufMetric {
  readonly labels: ReadonlyMap<string, string>;
  /** Undefined for summaries and histograms. */
  readonly value: number | undefined;
  /** The value's eight bytes in hexadecimal, most significant first; a number would lose the bits of a NaN. */
  readonly bits: string | undefined;
  /** In milliseconds. */
  readonly time: number | undefined;
  readonly distribution: Distribution | undefined;
  /** Since when a counter counts, in milliseconds. */
  readonly createdAt: number | undefined;
}

export interface Distribution {
  readonly count: number;
  readonly sum: number;
  /** Of a histogram: counts by their upper bounds. Of a summary: values by their quantiles. */
  readonly parts: readonly (readonly [bound: number, value: number])[];
}

export interface ProtobufFamily {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly metrics: readonly ProtobufMetric[];
}

/** The bits of a stale marker, and of every other NaN. */
export const STALE_NAN_BITS = '7ff0000000000002';
export const NORMAL_NAN_BITS = '7ff8000000000001';

/** Reads a whole body. */
export function readProtobuf(body: Uint8Array, emptyLabels: readonly string[] = []): ProtobufFamily[] {
  const families: ProtobufFamily[] = [];
  const cursor = new Cursor(body);
  while (!cursor.done()) families.push(readFamily(cursor.message()));
  const names = families.map(({ name }) => name);
  for (const { metrics } of families)
    for (const { labels } of metrics)
      for (const [name, value] of labels)
        if (value === '' && !emptyLabels.includes(name)) throw new Error(`label ${name} is empty`);
  if (new Set(names).size < names.length) throw new Error(`a family comes twice: ${names.join(', ')}`);
  return families;
}

type Kind = 0 | 1 | 2;

/** Steps through bytes; every step beyond the end throws. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #place = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  done(): boolean {
    return this.#place === this.#bytes.length;
  }

  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#view.getUint8(this.#place++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new Error('a varint is longer than ten bytes');
  }

  double(): { value: number; bits: string } {
    const bits = this.#view.getBigUint64(this.#place, true).toString(16).padStart(16, '0');
    const value = this.#view.getFloat64(this.#place, true);
    this.#place += 8;
    return { value, bits };
  }

  message(): Cursor {
    return new Cursor(this.#take(this.varint()));
  }

  string(): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(this.varint()));
  }

  /** Calls the reader of each field, by number and kind; a field may come twice only where it may be repeated. */
  fields(readers: Readonly<Record<string, () => void>>, repeated: readonly number[] = []): void {
    const seen = new Set<number>();
    while (!this.done()) {
      const tag = this.varint();
      const [field, kind] = [tag >> 3, (tag & 7) as Kind];
      const reader = readers[`${field}:${kind}`];
      if (reader === undefined) throw new Error(`field ${field} of kind ${kind} is not expected`);
      if (seen.has(field) && !repeated.includes(field)) throw new Error(`field ${field} comes twice`);
      seen.add(field);
      reader();
    }
  }

  #take(length: number): Uint8Array {
    if (length < 0 || this.#place + length > this.#bytes.length) throw new Error('a message is cut');
    this.#place += length;
    return this.#bytes.subarray(this.#place - length, this.#place);
  }
}

const TYPES: readonly FamilyType[] = ['counter', 'gauge', 'summary', 'untyped', 'histogram'];
/** The field of a metric that holds the value of each type. */
const VALUE_FIELDS: Record<FamilyType, number> = {
  gauge: 2,
  counter: 3,
  summary: 4,
  untyped: 5,
  histogram: 7,
};

function readFamily(cursor: Cursor): ProtobufFamily {
  const read: { name: string; help: string; type?: FamilyType | undefined } = { name: '', help: '' };
  const metrics: Cursor[] = [];
  cursor.fields(
    {
      '1:2': () => (read.name = cursor.string()),
      '2:2': () => (read.help = cursor.string()),
      '3:0': () => (read.type = TYPES[cursor.varint()]),
      '4:2': () => void metrics.push(cursor.message()),
    },
    [4],
  );
  const { name, help, type } = read;
  if (name === '' || type === undefined) throw new Error('a family has no name or no known type');
  return { name, help, type, metrics: metrics.map((metric) => readMetric(metric, type)) };
}

function readMetric(cursor: Cursor, type: FamilyType): ProtobufMetric {
  const labels = new Map<string, string>();
  const read: {
    single?: ReturnType<Cursor['double']>;
    distribution?: Distribution;
    time?: number;
    createdAt?: number;
  } = {};
  const isSingle = type !== 'summary' && type !== 'histogram';
  cursor.fields(
    {
      '1:2': () => {
        const { name, value } = readLabel(cursor.message());
        if (labels.has(name)) throw new Error(`label ${name} comes twice`);
        labels.set(name, value);
      },
      [`${VALUE_FIELDS[type]}:2`]: () => {
        const message = cursor.message();
        if (isSingle)
          message.fields({
            '1:1': () => (read.single = message.double()),
            ...(type === 'counter' && { '3:2': () => (read.createdAt = readTimestamp(message.message())) }),
          });
        else read.distribution = readDistribution(message, type);
      },
      '6:0': () => (read.time = cursor.varint()),
    },
    [1],
  );
  const { single, distribution, time, createdAt } = read;
  if (single === undefined && distribution === undefined)
    throw new Error('a metric has no value of its type');
  return { labels, value: single?.value, bits: single?.bits, time, distribution, createdAt };
}

/** In Unix ms. */
function readTimestamp(cursor: Cursor): number {
  let [seconds, nanos] = [0, 0];
  cursor.fields({ '1:0': () => (seconds = cursor.varint()), '2:0': () => (nanos = cursor.varint()) });
  return seconds * 1000 + nanos / 1_000_000;
}

function readLabel(cursor: Cursor): { name: string; value: string } {
  const label = { name: '', value: '' };
  cursor.fields({
    '1:2': () => (label.name = cursor.string()),
    '2:2': () => (label.value = cursor.string()),
  });
  if (label.name === '' || label.name === '__name__') throw new Error(`label ${JSON.stringify(label.name)}`);
  return label;
}

function readDistribution(cursor: Cursor, type: 'summary' | 'histogram'): Distribution {
  let [count, sum] = [Number.NaN, Number.NaN];
  const parts: [number, number][] = [];
  cursor.fields(
    {
      '1:0': () => (count = cursor.varint()),
      '2:1': () => (sum = cursor.double().value),
      '3:2': () => {
        const part = cursor.message();
        let [bound, value] = [Number.NaN, Number.NaN];
        if (type === 'histogram')
          part.fields({ '1:0': () => (value = part.varint()), '2:1': () => (bound = part.double().value) });
        else
          part.fields({
            '1:1': () => (bound = part.double().value),
            '2:1': () => (value = part.double().value),
          });
        parts.push([bound, value]);
      },
    },
    [3],
  );
  if (Number.isNaN(count)) throw new Error(`a ${type} has no count`);
  if (parts.some(([bound]) => Number.isNaN(bound))) throw new Error(`a ${type} has a part without a bound`);
  return { count, sum, parts };
}
