import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BodyPiece, Encoded } from './compress.ts';
import { Compressor } from './compress.ts';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

const lines = (count: number, of: string) => Buffer.from(`deploys{env="${of}"} 1\n`.repeat(count));
const own = (bytes: Buffer): BodyPiece => ({ bytes, isShared: false });
const shared = (bytes: Buffer): BodyPiece => ({ bytes, isShared: true });

const anyPiece = fc.record({
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.tuple(fc.nat(20_000), fc.string()).map(([count, text]) => new Uint8Array(lines(count, text))),
  ),
  isShared: fc.boolean(),
});

describe('a body in gzip', () => {
  it('is made of what was compressed ahead, if that was large enough', async () => {
    const compressor = new Compressor();
    const [large, small] = [shared(lines(1_000, 'a')), shared(lines(10, 'a'))];
    const before = [...large.bytes, ...small.bytes];
    for (const piece of [large, small]) compressor.ahead(piece);
    const { parts } = await compressor.encode([large, small], 'gzip');
    expect([...gunzipSync(Buffer.concat(parts))]).toEqual(before);
    const [, block] = parts;
    large.bytes.fill(0);
    const [, again] = (await compressor.encode([large, small], 'gzip')).parts;
    expect(again).toBe(block);
    // What is not kept is made anew, of what the bytes are now.
    const other = new Compressor();
    const changed = shared(lines(1_000, 'a'));
    other.ahead(changed);
    changed.bytes.fill(0);
    const [, kept] = (await other.encode([changed], 'gzip')).parts;
    expect(
      inflateRawSync(kept as Uint8Array, { finishFlush: constants.Z_SYNC_FLUSH }).equals(lines(1_000, 'a')),
    ).toBe(true);
  });

  it('is one stream, of the pieces in their order, whichever of them are shared and compressed already', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPiece, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        async (pieces, again) => {
          const compressor = new Compressor();
          const filler = own(lines(100, 'x'));
          await compressor.encode([filler, ...pieces], 'gzip');
          const chosen = again.flatMap((n) => pieces[n % Math.max(pieces.length, 1)] ?? []);
          const { parts, size, encoding } = await compressor.encode([...chosen, filler], 'gzip');
          const bytes = Buffer.concat(parts);
          expect(bytes).toHaveLength(size);
          const whole = Buffer.concat([...chosen.map((piece) => piece.bytes), filler.bytes]);
          expect(encoding).toBe('gzip');
          expect(gunzipSync(bytes).equals(whole)).toBe(true);
          // Node, as Go, reads on behind the end of a stream; browsers do not.
          const only = bytes.subarray(HEADER_BYTES, -TRAILER_BYTES);
          expect(inflateRawSync(only).equals(whole)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is no longer for a great many small pieces than for one of the same bytes', async () => {
    const compressor = new Compressor();
    const small = Array.from({ length: 5_000 }, (_, n) => shared(lines(2, `env-${n}`)));
    const { parts, size } = await compressor.encode(small, 'gzip');
    const one = await compressor.encode([own(Buffer.concat(small.map((piece) => piece.bytes)))], 'gzip');
    expect(size).toBe(one.size);
    expect(parts.length).toBeLessThan(10);
    const plain = await compressor.encode(small, 'identity');
    expect(plain.parts).toHaveLength(1);
  });

  it('keeps of a shared piece what it takes, and no more', async () => {
    const compressor = new Compressor();
    const piece = shared(lines(1_000, 'prod'));
    const { parts } = await compressor.encode([piece], 'gzip');
    const [, kept] = parts;
    expect(kept?.buffer.byteLength).toBe(kept?.length);
  });

  it('is right whatever stood before a shared piece the last time', async () => {
    const compressor = new Compressor();
    const piece = shared(lines(1_000, 'prod'));
    const heads = [own(lines(1, 'a')), own(lines(1, 'b')), own(lines(2_000, 'c')), own(Buffer.alloc(0))];
    for (const head of [...heads, ...heads]) {
      const { parts } = await compressor.encode([head, piece, own(lines(3, 'z'))], 'gzip');
      const whole = Buffer.concat([head.bytes, piece.bytes, lines(3, 'z')]);
      expect(gunzipSync(Buffer.concat(parts)).equals(whole)).toBe(true);
    }
  });

  it('holds a few bytes between large pieces as they are', async () => {
    const compressor = new Compressor();
    const large = shared(lines(1_000, 'prod'));
    const head = Buffer.from('# TYPE deploys gauge\n');
    const { parts } = await compressor.encode([large, own(head), large], 'gzip');
    expect(Buffer.concat(parts).includes(head)).toBe(true);
  });

  it.each([200, 1_000])('costs a shared piece of %i lines its compression once', async (count) => {
    const compressor = new Compressor();
    const piece = shared(lines(count, 'prod'));
    const before = await compressor.encode([piece], 'gzip');
    piece.bytes.fill(0x41);
    const after = await compressor.encode([piece], 'gzip');
    const body = ({ parts }: Encoded) => Buffer.concat(parts).subarray(0, -TRAILER_BYTES);
    expect(body(after).equals(body(before))).toBe(true);
  });
});

test.each([
  ['', 2_000, undefined],
  ['identity', 2_000, undefined],
  ['gzip;q=0', 2_000, undefined],
  ['br', 2_000, undefined],
  ['gzip', 10, undefined],
  ['gzip', 2_000, 'gzip'],
  ['br, X-GZIP ; q=0.5', 2_000, 'gzip'],
  ['*', 2_000, 'gzip'],
])('Accept-Encoding %j and %d lines: %s', async (accepted, count, encoding) => {
  const pieces = [own(lines(count, 'a')), shared(lines(count, 'b'))];
  const encoded = await new Compressor().encode(pieces, accepted);
  expect(encoded.encoding).toBe(encoding);
  const bytes = Buffer.concat(encoded.parts);
  const plain = encoding === undefined ? bytes : gunzipSync(bytes);
  expect(plain.equals(Buffer.concat(pieces.map((piece) => piece.bytes)))).toBe(true);
});
