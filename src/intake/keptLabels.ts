/** Which labels of an event are kept, and how much of their values: https://prometheus.io/docs/practices/naming/#labels */
export interface LabelPolicy {
  /** Labels that are left out. */
  readonly drop: ReadonlySet<string>;
  /** The only labels that are kept; empty for all. */
  readonly keep: ReadonlySet<string>;
  /** Longer values are cut to this, in bytes of UTF-8; 0 cuts none. */
  readonly valueBytesKept: number;
}

/** Whether a label is kept, by its name as it would be stored. */
export function keepsLabel(policy: LabelPolicy | undefined, name: string): boolean {
  if (policy === undefined) return true;
  return !policy.drop.has(name) && (policy.keep.size === 0 || policy.keep.has(name));
}

/** The longest beginning of a text within so many bytes of UTF-8 that ends between two characters. */
export function cutToBytes(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(character.codePointAt(0) as number);
    if (bytes > bytesMax) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** https://www.rfc-editor.org/rfc/rfc3629#section-3 */
function bytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}
