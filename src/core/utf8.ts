const encoder = new TextEncoder();

/**
 * The length of a text in UTF-8 bytes; exact wherever it may exceed `bytesMax`, else at most `bytesMax`.
 * A UTF-16 unit is at most 3 bytes, so most texts need no encoding to be known short enough.
 */
export function utf8Bytes(text: string, bytesMax: number): number {
  return text.length * 3 <= bytesMax ? text.length : encoder.encode(text).length;
}
