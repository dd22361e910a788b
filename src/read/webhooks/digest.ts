import { JsonNumber } from '../json.ts';
import { isObject } from './pointer.ts';

/**
 * The digest of a JSON value, 16 hexadecimal digits: of everything in it, whatever the order of an object's members. Two that differ in
 * anything have different ones. It is no secret's guard: who writes bodies may find two of one digest, and makes duplicates of his own.
 */
export function digestOf(json: unknown): string {
  const digest = new Digest();
  take(json, digest);
  return digest.digits();
}

/** Each value begins with what it is, so that no two read alike. */
function take(json: unknown, digest: Digest): void {
  if (Array.isArray(json)) {
    digest.add(`[${json.length}`);
    for (const item of json as readonly unknown[]) take(item, digest);
  } else if (isObject(json)) {
    const names = Object.keys(json).toSorted();
    digest.add(`{${names.length}`);
    for (const name of names) {
      digest.add(name);
      take(json[name], digest);
    }
  } else if (typeof json === 'string') {
    digest.add('"');
    digest.add(json);
  } else digest.add(json instanceof JsonNumber ? json.text : String(json));
}

/** Two hashes with 32 bits that have nothing in common; a body of 25 MiB must not take long. Each step can be undone, so that none forgets. */
class Digest {
  #one = 0x9e_37_79_b9;
  #other = 0x85_eb_ca_6b;

  /** Takes in one text, and where it ends. */
  add(text: string): void {
    let one = this.#one ^ text.length;
    let other = this.#other + text.length;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      one = Math.imul(one ^ unit, 0x9e_37_79_b1);
      one ^= one >>> 15;
      other = Math.imul(((other << 13) | (other >>> 19)) + unit, 0xc2_b2_ae_35);
    }
    this.#one = mixed(one);
    this.#other = mixed(other ^ this.#one);
  }

  digits(): string {
    return [this.#one, this.#other].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/** MurmurHash3's last step: https://github.com/aappleby/smhasher/wiki/MurmurHash3 */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2_b2_ae_35);
  return bits ^ (bits >>> 16);
}
