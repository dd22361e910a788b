const encoder = new TextEncoder();

/** FNV-1a with 64 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
const OFFSET = [0x23_25, 0x84_22, 0x9c_e4, 0xcb_f2] as const;
/** The prime is 2^40 + PRIME_LOW. */
const PRIME_LOW = 0x1_b3;
const LIMB = 0xff_ff;
/** Stands behind each text; no UTF-8 has this byte. */
const SEPARATOR = 0xff;

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** A fingerprint of texts in their order. Its hash is kept in four parts of 16 bits, lowest first, so that all products are small integers. */
export class Fingerprint {
  #limbs: readonly [number, number, number, number] = OFFSET;

  /** Takes in one text, and tells where it ends. */
  add(text: string): void {
    // Most names and values are ASCII, whose characters are its bytes.
    const bytes = isAscii(text) ? undefined : encoder.encode(text);
    const length = bytes?.length ?? text.length;
    let [a, b, c, d] = this.#limbs;
    for (let at = 0; at <= length; at += 1) {
      const low = a ^ (at === length ? SEPARATOR : (bytes?.[at] ?? text.charCodeAt(at)));
      const first = low * PRIME_LOW;
      const second = b * PRIME_LOW + (first >>> 16);
      const third = c * PRIME_LOW + (low << 8) + (second >>> 16);
      const fourth = d * PRIME_LOW + (b << 8) + (third >>> 16);
      a = first & LIMB;
      b = second & LIMB;
      c = third & LIMB;
      d = fourth & LIMB;
    }
    this.#limbs = [a, b, c, d];
  }

  /** 16 hexadecimal digits. */
  digits(): string {
    return this.#limbs
      .toReversed()
      .map((limb) => limb.toString(16).padStart(4, '0'))
      .join('');
  }
}

/**
 * The fingerprint of a set of labels, 16 hexadecimal digits, the same that Alertmanager writes for the same labels: FNV-1a over the labels in
 * order of their names. Source: https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function fingerprintOf(labels: readonly (readonly [name: string, value: string])[]): string {
  const fingerprint = new Fingerprint();
  for (const [name, value] of labels.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    fingerprint.add(name);
    fingerprint.add(value);
  }
  return fingerprint.digits();
}
