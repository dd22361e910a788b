/**
 * Reads raw samples out of Prometheus by its remote-read endpoint, stale markers and every bit of a value included:
 * https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/
 *
 * The request and the answer are protobuf messages (prometheus/prompb/remote.proto), compressed as one snappy block:
 * https://github.com/google/snappy/blob/main/format_description.txt
 */

const READ_TIMEOUT_MS = 20_000;
const REGEX_MATCHER = 2;

/** A raw sample. `bits` are the 64 of its float. */
export interface RawSample {
  readonly at: number;
  readonly value: number;
  readonly bits: bigint;
}

export interface RawSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly RawSample[];
}

/** All series whose metric name matches a regular expression, with all samples between two times in Unix ms, both included. */
export async function remoteRead(
  url: string,
  metricRegex: string,
  start: number,
  end: number,
): Promise<readonly RawSeries[]> {
  const response = await fetch(`${url}/api/v1/read`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-protobuf',
      'Content-Encoding': 'snappy',
      'X-Prometheus-Remote-Read-Version': '0.1.0',
    },
    body: new Uint8Array(snappyLiteral(readRequest(metricRegex, start, end))),
    signal: AbortSignal.timeout(READ_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`remote read: ${response.status} ${await response.text()}`);
  return readResponse(snappyDecode(Buffer.from(await response.arrayBuffer())));
}

function readRequest(metricRegex: string, start: number, end: number): Buffer {
  const matcher = [numberField(1, REGEX_MATCHER), bytesField(2, '__name__'), bytesField(3, metricRegex)];
  const query = [numberField(1, start), numberField(2, end), bytesField(3, Buffer.concat(matcher))];
  return bytesField(1, Buffer.concat(query));
}

/** `ReadResponse.results[].timeseries[]`. */
function readResponse(bytes: Buffer): RawSeries[] {
  const found: RawSeries[] = [];
  for (const result of nested(bytes, 1)) for (const series of nested(result, 1)) found.push(seriesOf(series));
  return found;
}

function seriesOf(bytes: Buffer): RawSeries {
  const labels: Record<string, string> = {};
  for (const label of nested(bytes, 1)) {
    const [name, value] = [nested(label, 1)[0], nested(label, 2)[0]];
    labels[name?.toString() ?? ''] = value?.toString() ?? '';
  }
  return { labels, samples: nested(bytes, 2).map((sample) => sampleOf(sample)) };
}

function sampleOf(bytes: Buffer): RawSample {
  // A field that holds its zero is left out.
  let bits = 0n;
  let at = 0;
  for (const { number, value } of fields(bytes)) {
    if (number === 1 && typeof value === 'bigint') bits = value;
    if (number === 2 && typeof value === 'bigint') at = Number(BigInt.asIntN(64, value));
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return { at, bits, value: view.getFloat64(0) };
}

/** The length-delimited fields of one number. */
function nested(bytes: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  for (const { number, value } of fields(bytes))
    if (number === wanted && Buffer.isBuffer(value)) found.push(value);
  return found;
}

/** A message's fields: varints and 64-bit ones as numbers without a sign, length-delimited ones as bytes. */
function* fields(bytes: Buffer): Generator<{ number: number; value: bigint | Buffer }> {
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a varint of more than ten bytes');
  };
  while (at < bytes.length) {
    const tag = Number(next());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: next() };
        break;
      case 1:
        yield { number, value: bytes.readBigUInt64LE(at) };
        at += 8;
        break;
      case 2: {
        const length = Number(next());
        yield { number, value: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      default:
        throw new Error(`wire type ${tag & 7} in a remote-read answer`);
    }
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

function bytesField(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/** One literal of up to 64 KiB: valid snappy, and short to write. */
function snappyLiteral(bytes: Buffer): Buffer {
  const tag = Buffer.from([61 << 2, (bytes.length - 1) & 0xff, (bytes.length - 1) >>> 8]);
  return Buffer.concat([varint(bytes.length), tag, bytes]);
}

/**
 * Decodes a snappy block: the length as a varint, then elements, whose kind stands in the two low bits of their tag:
 *
 *     00  literal: length - 1 in the six high bits, or in the 1 to 4 bytes that 60 to 63 there stand for
 *     01  copy: length - 4 in 3 bits, offset in 11
 *     10  copy: length - 1 in 6 bits, offset in 2 bytes
 *     11  copy: length - 1 in 6 bits, offset in 4 bytes
 */
export function snappyDecode(block: Buffer): Buffer {
  let from = 0;
  const little = (count: number): number => {
    const value = count === 0 ? 0 : block.readUIntLE(from, count);
    from += count;
    return value;
  };
  let length = 0;
  for (let factor = 1, more = true; more; factor *= 128) {
    const byte = little(1);
    length += (byte & 0x7f) * factor;
    more = byte >= 0x80;
  }
  const out = Buffer.alloc(length);
  let to = 0;
  const copy = (count: number, back: number): void => {
    if (back === 0 || back > to) throw new Error('snappy: a copy from before the start');
    // Byte by byte, since a copy may overlap what it writes.
    for (let i = 0; i < count; i += 1, to += 1) out[to] = out[to - back] as number;
  };
  while (from < block.length) {
    const tag = little(1);
    const high = tag >>> 2;
    switch (tag & 3) {
      case 0: {
        const count = 1 + (high < 60 ? high : little(high - 59));
        block.copy(out, to, from, from + count);
        from += count;
        to += count;
        break;
      }
      case 1:
        copy(4 + (high & 7), ((high >>> 3) << 8) | little(1));
        break;
      case 2:
        copy(high + 1, little(2));
        break;
      default:
        copy(high + 1, little(4));
    }
  }
  if (to !== length) throw new Error(`snappy: ${to} bytes where ${length} were announced`);
  return out;
}
