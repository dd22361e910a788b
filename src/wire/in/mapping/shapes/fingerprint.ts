const encoder = new TextEncoder();

/** FNV-1a with 64 bits, its hash kept in two halves: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
const OFFSET_HIGH = 0xcb_f2_9c_e4;
const OFFSET_LOW = 0x84_22_23_25;
/** The prime is 2^40 + PRIME_LOW. */
const PRIME_LOW = 0x1_b3;
const HALF = 2 ** 32;
/** Stands behind each name and each value; no UTF-8 has this byte. */
const SEPARATOR = 0xff;

/**
 * The fingerprint of a set of labels, 16 hexadecimal digits, the same that Alertmanager writes for the same labels: FNV-1a over the labels in
 * order of their names. Source: https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function fingerprintOf(labels: readonly (readonly [name: string, value: string])[]): string {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  const add = (byte: number): void => {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME_LOW;
    high = (high * PRIME_LOW + low * 2 ** 8 + Math.floor(product / HALF)) % HALF;
    low = product % HALF;
  };
  for (const [name, value] of labels.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    for (const text of [name, value]) {
      for (const byte of encoder.encode(text)) add(byte);
      add(SEPARATOR);
    }
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}
