import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';

/** A part of a body. */
export interface BodyPiece {
  readonly bytes: Uint8Array;
  /** Whether these very bytes are in other bodies, too. */
  readonly isShared: boolean;
}

/** A body as it is sent. */
export interface Encoded {
  /** In order; to be sent one behind the other. */
  readonly parts: readonly Uint8Array[];
  /** Of all of them, in bytes. */
  readonly size: number;
  readonly encoding: 'gzip' | undefined;
}

/** Below this many bytes gzip saves less than a packet. */
const WORTHWHILE_BYTES = 1024;
/** Fast: a scrape is read once. */
const LEVEL = 1;
/** What is compressed at once on the main thread, some ms at most; more goes to the thread pool, or waits for its turn. */
const SYNC_BYTES_MAX = 256 * 1024;

/** Without a name, a time and a system: https://www.rfc-editor.org/rfc/rfc1952#page-5 */
const HEADER = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);

const deflate = promisify(deflateRaw);

/**
 * Compresses bodies. A gzip stream is a header, deflated blocks, and a checksum; blocks that refer to nothing outside of themselves may
 * be put together as they are. So each shared piece is compressed once, and kept for as long as somebody holds it.
 */
export class Compressor {
  readonly #kept = new WeakMap<Uint8Array, Buffer>();

  /** Encodes a body in gzip if the client takes that and it is worthwhile. Prometheus reads any other encoding as plain text. */
  async encode(pieces: readonly BodyPiece[], acceptEncoding: string): Promise<Encoded> {
    let size = 0;
    for (const { bytes } of pieces) size += bytes.length;
    if (size < WORTHWHILE_BYTES || !takesGzip(acceptEncoding))
      return encoded(
        pieces.map(({ bytes }) => bytes),
        undefined,
      );
    const blocks: Buffer[] = [HEADER];
    let checksum = 0;
    let own: Uint8Array[] = [];
    let fresh = 0;
    for (const { bytes, isShared } of pieces) {
      checksum = crc32(bytes, checksum);
      if (!isShared) {
        own.push(bytes);
        continue;
      }
      if (own.length > 0) blocks.push(await deflated(Buffer.concat(own), false));
      own = [];
      if (!this.#kept.has(bytes) && (fresh += bytes.length) > SYNC_BYTES_MAX) {
        fresh = 0;
        await setImmediate();
      }
      blocks.push(this.#shared(bytes));
    }
    blocks.push(await deflated(Buffer.concat(own), true), trailer(checksum, size));
    return encoded(blocks, 'gzip');
  }

  #shared(bytes: Uint8Array): Buffer {
    const known = this.#kept.get(bytes);
    if (known !== undefined) return known;
    const made = deflateRawSync(bytes, optionsOf(false));
    this.#kept.set(bytes, made);
    return made;
  }
}

function encoded(parts: readonly Uint8Array[], encoding: Encoded['encoding']): Encoded {
  let size = 0;
  for (const part of parts) size += part.length;
  return { parts, size, encoding };
}

/** Blocks that end on a whole byte, the last of them marked as such or not: https://www.zlib.net/manual.html#Basic */
async function deflated(bytes: Buffer, isLast: boolean): Promise<Buffer> {
  return bytes.length <= SYNC_BYTES_MAX
    ? deflateRawSync(bytes, optionsOf(isLast))
    : deflate(bytes, optionsOf(isLast));
}

function optionsOf(isLast: boolean): { level: number; finishFlush: number } {
  return { level: LEVEL, finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH };
}

function trailer(checksum: number, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(checksum, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

/** Whether gzip is among the codings with a weight above 0: https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding */
function takesGzip(acceptEncoding: string): boolean {
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim());
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}
