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

/** What is kept of a shared piece. */
interface Compressed {
  /** Deflated. */
  readonly block: Uint8Array;
  /** The checksum of what stood before it the last time, … */
  before: number;
  /** … and of all up to its end: as long as the bodies of all scrapers begin alike, none is computed twice. */
  behind: number;
}

/** Below this many bytes gzip saves less than a packet. */
const WORTHWHILE_BYTES = 1024;
/** Fast: a scrape is read once. */
const LEVEL = 1;
/** What is compressed at once on the main thread, some ms at most; more goes to the thread pool, or waits for its turn. */
const SYNC_BYTES_MAX = 256 * 1024;

/** A smaller piece is worth no block of its own: with its neighbours it is compressed as fast, and to less, … */
const ALONE_BYTES_MIN = 16 * 1024;
/** … but a shared one, which is compressed once, is. */
const SHARED_BYTES_MIN = 4 * 1024;
/** Larger pieces are compressed for the scrape that asks for them: nobody else should wait for them, and these take longer than 10 ms. */
const AHEAD_BYTES_MAX = 256 * 1024;

/** So few bytes are not compressed: what stands before a family's samples, alone between large pieces. To set up a compressor costs more. */
const STORED_BYTES_MAX = 256;

/** Without a name, a time and a system: https://www.rfc-editor.org/rfc/rfc1952#page-5 */
const HEADER = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
/** An empty block that is the last: https://www.rfc-editor.org/rfc/rfc1951#page-10 */
const LAST_BLOCK = Buffer.of(3, 0);
/** Ends blocks on a whole byte, and marks none of them as the last: https://www.zlib.net/manual.html#Basic */
const OPTIONS = { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH };
/**
 * On the main thread, with output buffers of this many bytes. Node's own of 16 KiB, of which a small body fills a quarter, are freed
 * only when the whole heap is collected, and that is collected the sooner for each: a third of a scrape's time went there.
 */
const SYNC_OPTIONS = { ...OPTIONS, chunkSize: 4 * 1024 };

const deflate = promisify(deflateRaw);

/**
 * Compresses bodies. A gzip stream is a header, deflated blocks, and a checksum; blocks that refer to nothing outside of themselves may
 * be put together as they are. So each large shared piece is compressed once, and kept for as long as somebody holds it.
 */
export class Compressor {
  readonly #kept = new WeakMap<Uint8Array, Compressed>();

  /** Encodes a body in gzip if the client takes that and it is worthwhile. Prometheus reads any other encoding as plain text. */
  async encode(pieces: readonly BodyPiece[], acceptEncoding: string): Promise<Encoded> {
    const joined = joinSmall(pieces);
    const plain = encoded(
      joined.map(({ bytes }) => bytes),
      undefined,
    );
    if (plain.size < WORTHWHILE_BYTES || !takesGzip(acceptEncoding)) return plain;
    const blocks: Uint8Array[] = [HEADER];
    let checksum = 0;
    let fresh = 0;
    for (const { bytes, isShared } of joined) {
      if (!isShared) {
        checksum = crc32(bytes, checksum);
        blocks.push(await deflated(bytes));
        continue;
      }
      if (!this.#kept.has(bytes) && (fresh += bytes.length) > SYNC_BYTES_MAX) {
        fresh = 0;
        await setImmediate();
      }
      const kept = this.#keep(bytes);
      checksum = checksumBehind(kept, bytes, checksum);
      blocks.push(kept.block);
    }
    return encoded([...blocks, LAST_BLOCK, trailer(checksum, plain.size)], 'gzip');
  }

  /** Compresses a shared piece for the bodies that will have it, if it is large enough to be kept by itself. */
  ahead({ bytes, isShared }: BodyPiece): void {
    if (isShared && bytes.length >= SHARED_BYTES_MIN && bytes.length <= AHEAD_BYTES_MAX) this.#keep(bytes);
  }

  #keep(bytes: Uint8Array): Compressed {
    const known = this.#kept.get(bytes);
    if (known !== undefined) return known;
    // A copy: what comes is a part of a buffer that is far larger.
    const block = new Uint8Array(deflateRawSync(bytes, SYNC_OPTIONS));
    const made = { block, before: 0, behind: crc32(bytes) };
    this.#kept.set(bytes, made);
    return made;
  }
}

/** The checksum of what ends with a piece, of the one of what stands before it. */
function checksumBehind(kept: Compressed, bytes: Uint8Array, before: number): number {
  if (kept.before !== before) {
    kept.behind = crc32(bytes, before);
    kept.before = before;
  }
  return kept.behind;
}

/** Joins neighbours that are small. */
function joinSmall(pieces: readonly BodyPiece[]): readonly BodyPiece[] {
  const joined: BodyPiece[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    const [only] = small;
    if (only !== undefined)
      joined.push({ bytes: small.length === 1 ? only : Buffer.concat(small), isShared: false });
    small = [];
  };
  for (const piece of pieces) {
    if (piece.bytes.length >= (piece.isShared ? SHARED_BYTES_MIN : ALONE_BYTES_MIN)) {
      flush();
      joined.push(piece);
    } else small.push(piece.bytes);
  }
  flush();
  return joined;
}

function encoded(parts: readonly Uint8Array[], encoding: Encoded['encoding']): Encoded {
  let size = 0;
  for (const part of parts) size += part.length;
  return { parts, size, encoding };
}

async function deflated(bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length <= STORED_BYTES_MAX) return stored(bytes);
  return bytes.length <= SYNC_BYTES_MAX ? deflateRawSync(bytes, SYNC_OPTIONS) : deflate(bytes, OPTIONS);
}

/** A block that holds the bytes as they are: https://www.rfc-editor.org/rfc/rfc1951#page-11 */
function stored(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(bytes.length ^ 0xffff, 3);
  return Buffer.concat([head, bytes]);
}

function trailer(checksum: number, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(checksum, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

/** Whether gzip is among the codings with a weight above 0: https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding */
export function takesGzip(acceptEncoding: string): boolean {
  if (acceptEncoding === 'gzip') return true;
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim());
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}
