import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { snappyDecode } from './remoteRead.ts';

/** A sample as a receiver got it. `bits` are the 64 of its float. */
export interface WrittenSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly bits: bigint;
  readonly at: number;
  /** Of 2.0, from rc.4 on: since when it counts. */
  readonly startAt?: number;
}

export interface WrittenSeries {
  /** In the order in which they came. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly Omit<WrittenSample, 'labels'>[];
  /** Of 2.0: the metric's type and help. */
  readonly metadata: { readonly type: number; readonly help: string } | undefined;
  /** Of 2.0, up to rc.3: since when it counts. */
  readonly createdAt?: number;
}

/** Reads the body of a remote write request as a receiver does, by its content type. Throws for what no receiver must take. */
export function readWriteRequest(
  body: Uint8Array,
  contentType: string | undefined,
): readonly WrittenSeries[] {
  const bytes = snappyDecode(Buffer.from(body));
  return contentType?.includes('io.prometheus.write.v2.Request') === true
    ? readSecond(bytes)
    : readFirst(bytes);
}

/** Calls back for each field of a message with its number; who doesn't read it skips it. */
function fields(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, kind] = reader.tag();
    if (!read(field, reader)) reader.skip(kind, field);
  }
}

/** Reads what is there of the fields of 1.0, as a receiver does that doesn't look at the content type. */
export function readFirst(bytes: Uint8Array): readonly WrittenSeries[] {
  const all: WrittenSeries[] = [];
  fields(bytes, (field, reader) => {
    if (field !== 1) return false;
    const pairs: [string, string][] = [];
    const samples: Omit<WrittenSample, 'labels'>[] = [];
    fields(reader.bytes(), (inner, series) => {
      if (inner === 1) {
        const pair: [string, string] = ['', ''];
        fields(series.bytes(), (part, label) => {
          pair[part - 1] = label.string();
          return true;
        });
        pairs.push(pair);
      } else if (inner === 2) samples.push(readSample(series.bytes()));
      else return false;
      return true;
    });
    all.push({ ...labelsOf(pairs), samples, metadata: undefined });
    return true;
  });
  return all;
}

function readSecond(bytes: Uint8Array): readonly WrittenSeries[] {
  const symbols: string[] = [];
  const messages: Uint8Array[] = [];
  fields(bytes, (field, reader) => {
    if (field === 4) symbols.push(reader.string());
    else if (field === 5) messages.push(reader.bytes());
    else throw new Error(`field ${field} is reserved`);
    return true;
  });
  if (symbols[0] !== '') throw new Error('the first symbol must be empty');
  if (new Set(symbols).size < symbols.length) throw new Error('a symbol is there twice');
  const symbol = (ref: number) => {
    const text = symbols[ref];
    if (text === undefined) throw new Error(`there is no symbol ${ref}`);
    return text;
  };
  return messages.map((message) => {
    const refs: number[] = [];
    const samples: Omit<WrittenSample, 'labels'>[] = [];
    let metadata: WrittenSeries['metadata'];
    let createdAt: number | undefined;
    fields(message, (field, reader) => {
      if (field === 1) {
        const end = reader.uint32() + reader.pos;
        while (reader.pos < end) refs.push(reader.uint32());
      } else if (field === 2) samples.push(readSample(reader.bytes()));
      else if (field === 5) metadata = readMetadata(reader.bytes(), symbol);
      else if (field === 6) createdAt = Number(reader.int64());
      else return false;
      return true;
    });
    const pairs: [string, string][] = [];
    for (let i = 0; i < refs.length; i += 2) pairs.push([symbol(refs[i] ?? -1), symbol(refs[i + 1] ?? -1)]);
    return { ...labelsOf(pairs), samples, metadata, ...(createdAt !== undefined && { createdAt }) };
  });
}

function readMetadata(bytes: Uint8Array, symbol: (ref: number) => string): { type: number; help: string } {
  let type = 0;
  let help = '';
  fields(bytes, (field, reader) => {
    if (field === 1) type = reader.uint32();
    else if (field === 3) help = symbol(reader.uint32());
    else return false;
    return true;
  });
  return { type, help };
}

function readSample(bytes: Uint8Array): Omit<WrittenSample, 'labels'> {
  const reader = new BinaryReader(bytes);
  let bits = 0n;
  let at = 0;
  let startAt: number | undefined;
  while (reader.pos < reader.len) {
    const [field, kind] = reader.tag();
    if (field === 1 && kind === WireType.Bit64) bits = BigInt(reader.fixed64());
    else if (field === 2 && kind === WireType.Varint) at = Number(reader.int64());
    else if (field === 3 && kind === WireType.Varint) startAt = Number(reader.int64());
    else throw new Error(`field ${field} in a sample`);
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return { bits, value: view.getFloat64(0), at, ...(startAt !== undefined && { startAt }) };
}

/** Both specifications ask for order, and for no name twice and nothing empty. */
function labelsOf(pairs: readonly (readonly [string, string])[]): Pick<WrittenSeries, 'names' | 'labels'> {
  const names = pairs.map(([name]) => name);
  const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (names.join('\0') !== sorted.join('\0')) throw new Error(`labels out of order: ${names.join()}`);
  if (new Set(names).size < names.length) throw new Error(`a label is there twice: ${names.join()}`);
  if (pairs.flat().includes('')) throw new Error('an empty label');
  return { names, labels: Object.fromEntries(pairs) };
}
