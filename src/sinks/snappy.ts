/*
 * Snappy's block format: https://github.com/google/snappy/blob/main/format_description.txt
 * Its length as a varint, then elements: a literal (its bytes follow), or a copy of what came before.
 *
 *   00  literal: length - 1 in 6 bits; 60 or 61 there say that it follows in 1 or 2 bytes
 *   10  copy: length - 1 in 6 bits, how far back in 2 bytes
 *
 * A copy of 4 to 11 bytes has a shorter form, which saves a byte each; it isn't worth a branch here.
 */

/** Copies don't reach into the block before: so two bytes say how far back. */
const BLOCK_BYTES = 1 << 16;
const HASH_BITS = 14;
const COPY_BYTES_MIN = 4;
const COPY_BYTES_MAX = 64;
/** After so many looks in vain the next ones are further apart: what can't be compressed is passed over quickly. */
const SKIP_AFTER_BITS = 5;

const table = new Uint16Array(1 << HASH_BITS);

/** What a text of so many bytes becomes at most: all of it in literals of a block each. */
function bytesMax(length: number): number {
  return 5 + length + 3 * (Math.floor(length / BLOCK_BYTES) + 1) + Math.floor(length / COPY_BYTES_MIN);
}

/** Compresses bytes to one block in snappy's sense. */
export function snappy(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytesMax(bytes.length));
  let to = 0;
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>>= 7) out[to++] = (rest & 0x7f) | 0x80;
  out[to++] = rest;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES)
    to = compressBlock(bytes, view, from, Math.min(from + BLOCK_BYTES, bytes.length), out, to);
  return out.subarray(0, to);
}

function compressBlock(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  out: Uint8Array,
  began: number,
): number {
  let to = began;
  let literal = start;
  let at = start + 1;
  let looks = 1 << SKIP_AFTER_BITS;
  const last = end - COPY_BYTES_MIN;
  table.fill(0);
  while (at <= last) {
    const here = view.getUint32(at, true);
    const hash = Math.imul(here, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = start + (table[hash] as number);
    table[hash] = at - start;
    if (view.getUint32(candidate, true) !== here) {
      at += looks >>> SKIP_AFTER_BITS;
      looks += 1;
      continue;
    }
    looks = 1 << SKIP_AFTER_BITS;
    to = writeLiteral(bytes, literal, at, out, to);
    let length = COPY_BYTES_MIN;
    while (at + length < end && bytes[candidate + length] === bytes[at + length]) length += 1;
    to = writeCopy(at - candidate, length, out, to);
    at += length;
    literal = at;
  }
  return writeLiteral(bytes, literal, end, out, to);
}

function writeLiteral(bytes: Uint8Array, from: number, upTo: number, out: Uint8Array, began: number): number {
  let to = began;
  const length = upTo - from;
  if (length === 0) return to;
  if (length <= 60) out[to++] = (length - 1) << 2;
  else {
    const isShort = length <= 0x100;
    out[to++] = (isShort ? 60 : 61) << 2;
    out[to++] = (length - 1) & 0xff;
    if (!isShort) out[to++] = (length - 1) >>> 8;
  }
  if (length < 32) for (let i = 0; i < length; i += 1) out[to + i] = bytes[from + i] as number;
  else out.set(bytes.subarray(from, upTo), to);
  return to + length;
}

function writeCopy(back: number, length: number, out: Uint8Array, began: number): number {
  let to = began;
  for (let left = length; left > 0;) {
    const part = Math.min(left, COPY_BYTES_MAX);
    out[to++] = ((part - 1) << 2) | 2;
    out[to++] = back & 0xff;
    out[to++] = back >>> 8;
    left -= part;
  }
  return to;
}
