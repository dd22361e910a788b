import { randomInt } from 'node:crypto';

/** How many ids one part of the memory holds at least, and how full its table gets: half of it stays free, so that what is looked for is found soon. */
const PART_IDS_MIN = 65_536;
const SLOTS_PER_ID = 2;
/** So many parts there are about, however many ids: each is looked at. */
const PARTS = 16;
/** What a slot holds of a place is a number of 32 bits, 0 where it is free. */
const SPAN = 2 ** 32 - 1;

/** Ids that were added one after the other: a hash table from fingerprints to places. */
class Part {
  /** The first place, and the last. */
  readonly from: number;
  last: number;
  readonly #idsMax: number;
  readonly #mask: number;
  readonly #factor: number;
  readonly #shift: number;
  /** For each slot a fingerprint, and its place, counted from one before the first. */
  readonly #slots: Uint32Array;
  #ids = 0;

  constructor(from: number, idsMax: number, factor: number) {
    this.from = from;
    this.last = from;
    this.#idsMax = idsMax;
    const slots = idsMax * SLOTS_PER_ID;
    this.#mask = slots - 1;
    this.#factor = factor;
    this.#shift = 32 - Math.log2(slots);
    this.#slots = new Uint32Array(slots * 2);
  }

  get ids(): number {
    return this.#ids;
  }

  takes(place: number): boolean {
    return this.#ids < this.#idsMax && place >= this.from && place - this.from < SPAN;
  }

  add(fingerprint: number, place: number): void {
    const slots = this.#slots;
    let slot = this.#slotOf(fingerprint);
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask;
    slots[slot * 2] = fingerprint;
    slots[slot * 2 + 1] = place - this.from + 1;
    this.#ids += 1;
    if (place > this.last) this.last = place;
  }

  find(fingerprint: number, isAt: (place: number) => boolean): number | undefined {
    const slots = this.#slots;
    for (let slot = this.#slotOf(fingerprint); ; slot = (slot + 1) & this.#mask) {
      const place = slots[slot * 2 + 1] as number;
      if (place === 0) return undefined;
      if (slots[slot * 2] === fingerprint && isAt(this.from + place - 1)) return this.from + place - 1;
    }
  }

  #slotOf(fingerprint: number): number {
    return Math.imul(fingerprint, this.#factor) >>> this.#shift;
  }
}

/**
 * Where ids may stand in their table, by fingerprints of 32 bits, in 16 bytes for each id: so that nothing of the file is read for an id that is
 * new, as nearly all are. It never misses one that was added. It may tell of one that is not there, or not any more, so each place is looked at.
 */
export class IdPlaces {
  /** In the order of their places, the newest first: what is sent again was mostly sent just before. */
  #parts: Part[] = [];
  /** Odd. Nobody knows it, so that no sender can choose ids whose slots are the same. */
  readonly #factor: number;

  constructor(random = randomInt(2 ** 32)) {
    this.#factor = random | 1;
  }

  /** `place` is beyond all that were added before. */
  add(fingerprint: number, place: number): void {
    let [newest] = this.#parts;
    if (newest?.takes(place) !== true) {
      const ids = this.#parts.reduce((sum, part) => sum + part.ids, 0);
      const shared = 2 ** Math.ceil(Math.log2(Math.max(1, ids / PARTS)));
      newest = new Part(place, Math.max(PART_IDS_MIN, shared), this.#factor);
      this.#parts.unshift(newest);
    }
    newest.add(fingerprint, place);
  }

  /** The first of the places at which an id with a fingerprint may be, and is; undefined where it is at none. */
  find(fingerprint: number, isAt: (place: number) => boolean): number | undefined {
    for (const part of this.#parts) {
      const place = part.find(fingerprint, isAt);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** Forgets what may be forgotten where no id is before a place any more. */
  forgetBefore(place: number): void {
    while ((this.#parts.at(-1)?.last ?? Infinity) < place) this.#parts.pop();
  }
}
